//! Broken files: every mistake at once, each at its place, each with what to do.

use super::broken;

macro_rules! broken_files {
    ($($(#[$doc:meta])* $name:ident: $text:expr;)*) => {
        $(
            $(#[$doc])*
            #[test]
            fn $name() {
                insta::assert_snapshot!(broken($text));
            }
        )*
    };
}

broken_files! {
    nothing: "# only a comment\n";
    no_map: "- runbook: a\n";
    keys_are_missing: "title: x\n";
    no_steps: "runbook: a\nsteps: {}\n";
    two_documents: "runbook: a\n---\nrunbook: b\n";
    tabs: "runbook: a\nsteps:\n\tone:\n\t\tuses: command\n";
    a_colon_in_text: "runbook: a\ntitle: Attention: read this\n";
    an_open_quote: "runbook: a\ntitle: \"Attention\nsteps: {}\n";
    a_windows_path: "runbook: a\ntitle: \"C:\\data\"\n";
    a_template_outside_quotes: "runbook: a\nsteps:\n  one: { uses: command, with: { run: [${{ params.x }}] } }\n";
    an_unknown_alias: "runbook: a\ntitle: *bold*\n";
    an_alias_of_itself: "runbook: a\nsteps: &all\n  one: *all\n";
    tags_and_merge_keys: "runbook: !name a\nsteps:\n  one: &one { uses: command, with: { run: [ls] } }\n  two:\n    <<: *one\n    title: Two\n";
    numbers_beyond_json: "runbook: a\nsteps:\n  one:\n    uses: command\n    with: { run: [ls], count: 99999999999999999999 }\n    rehearse: { observed: .inf }\n";
    a_key_twice: "runbook: a\nrunbook: b\nsteps:\n  one: { uses: command, with: { run: [ls], run: [cat] } }\n  one: { uses: command, with: { run: [ls] } }\n";
    /// YAML takes these for numbers and booleans.
    text_without_quotes: "
runbook: 2019
title: 1.10
description: true
params:
  version: { type: enum, values: [2013, \"2016\", SE] }
  code: { type: string, default: 12e5, optional: yes, example: 007 }
steps:
  one: { title: ~, source: 7, uses: command, with: { run: [ls] }, idempotent: on, timeout: 30 }
";
    places: "
runbook: a
params:
  server: { type: host }
  code: { type: secret }
steps:
  anywhere: { uses: command, on: any, with: { run: [ls] } }
  there: { uses: command, on: web1.contoso.com, with: { run: [ls] } }
  found: { uses: command, on: \"${{ params.server }}\", with: { run: [ls] } }
  no-name: { uses: command, on: web 1, with: { run: [ls] } }
  no-item: { uses: command, on: \"${{ item }}\", with: { run: [ls] } }
  no-param: { uses: command, on: \"${{ params.servers }}\", with: { run: [ls] } }
  secret: { uses: command, on: \"${{ params.code }}\", with: { run: [ls] } }
  more: { uses: command, on: \"web${{ params.server }}\", with: { run: [ls] } }
  worked-out: { uses: command, on: \"${{ params.server + 1 }}\", with: { run: [ls] } }
";
    unknown_keys: "
runbok: a
step: {}
params:
  host: { type: host, promt: Which host?, pattern: x, values: [a] }
  word: { type: string, schemes: [http], of: host }
steps:
  one:
    use: command
    approve: true
    retry: { attempt: 3 }
    rehearse: { output: {} }
";
    names: "
runbook: my runbook
params:
  web-app: { type: url }
roles:
  farm admin: Someone
sessions:
  1st: { uses: site.cloud }
steps:
  one two: { uses: command, with: { run: [ls] } }
  read-tenant: { uses: command, with: { run: [ls] }, lock: [good, not good] }
  read_tenant: { uses: command, with: { run: [ls] }, needs: [one two] }
";
    references: "
runbook: a
roles: { farm-admin: Someone }
sessions:
  farm: { uses: site.clout, role: farm-admim }
steps:
  first: { uses: comand, role: farmadmin, session: frm, needs: [second, frist] }
  second: { uses: command, with: { run: [ls] }, needs: third, role: nobody, session: none }
";
    circles: "
runbook: a
steps:
  one: { uses: command, with: { run: [ls] }, needs: [three] }
  two: { uses: command, with: { run: [ls] }, needs: [one] }
  three: { uses: command, with: { run: [ls] }, needs: [two, self] }
  self: { uses: command, with: { run: [ls] }, needs: self }
  left: { uses: command, with: { run: [ls] }, needs: [right] }
  right: { uses: command, with: { run: [ls] }, needs: [left] }
";
    undone_with: "
runbook: a
steps:
  one: { uses: command, with: { run: [ls] }, undo_with: [two, too] }
  two: { uses: command, with: { run: [ls] }, undo_with: one }
  three: { uses: command, with: { run: [ls] }, needs: two, undo_with: three }
";
    durations_and_policies: "
runbook: a
steps:
  one:
    uses: command
    with: { run: [ls] }
    timeout: 10
    expect: 1h 30m
    retry: { attempts: 0, delay: 5min, backoff: 0.5, max_delay: 1s1m, deadline: soon }
    on_failure: contine
    idempotent: maybe
    rehearse: { takes: 99999d, interrupted: never, outputs: [a], satisfied: no }
  two: { uses: command, with: { run: [ls] }, retry: 5000, timeout: 0s }
  three: { uses: command, with: { run: [ls] }, retry: often }
  four: { uses: command, with: { run: [ls] }, retry: { attempts: 2, delay: 10s, max_delay: 5s } }
";
    parameters: "
runbook: a
params:
  a: string
  b: { type: text }
  c: { type: list }
  d: { type: list, of: secret }
  e: { type: enum }
  f: { type: enum, values: [], default: x }
  g: { type: string, pattern: '(', min: 3, max: 1 }
  h: { type: secret, default: hunter2 }
  i: { type: domain, default: https://www.contoso.com/start }
  j: { type: list, of: host, example: [web1, 'web 2'], min: 3 }
  k: { type: integer, default: \"5\", min: 1 }
  l: { type: url, schemes: [https], default: 'http://contoso.com' }
  m: { type: guid, min: 3, default: 0000 }
  n:
";
    inputs: "
runbook: a
steps:
  one: { uses: command, with: { rum: [ls], validat: [ls], count: many } }
  two: { uses: command }
  three: { uses: command, with: { run: ls } }
  four: { uses: command, with: { run: [], file: missing.txt, env: { A=B: c } } }
  five: { uses: command, with: [ls] }
  six:
    uses: script
    with:
      run: |
        echo 1
          oops 2
  seven: { uses: script, with: { run: 'it''s an oops' } }
  eight: { uses: site.cloud, with: { anything: 1 } }
";
    expressions: r#"
runbook: a
params:
  host: { type: host }
sessions:
  farm: { uses: site.cloud, with: { a: "${{ steps.one.outputs.x }} ${{ params.hots }}" } }
steps:
  one: { uses: command, with: { run: [ls] } }
  two:
    needs: [one]
    when: param.host == "x" && params.hst == 'y' || stps.one
    for_each: [a, b]
    uses: command
    with: { run: [ls, "${{ item }}", "${{ host }} and ${{ steps.one.output }}"] }
  three:
    when: ${{ params.host != "" }}
    for_each: item.names
    uses: command
    with:
      run:
        - "tab\t${{ params.hosts }}"
        - 'it''s ${{ params.host ${{ '
        - ${{ params.host.start_with("x") }} and ${{ params.host.trim() }}
        - >-
          folded
          text ${{ steps.two.outputs.a }} and
          ${{ steps["one"].status }}
      env:
        SCRIPT: |
          first line
            second ${{ params.host + }} line
          third ${{ run.nme }} ${{ steps.three.outputs }} ${{ steps.for }}
  four: { when: 7, for_each: true, uses: command, with: { run: ["${{ }}"] } }
  five: { when: "params.host = 'x'", for_each: "steps.fuor.outputs.list", uses: command, with: { run: [ls] } }
  six: { when: "params.x.filter(|p| p > params.y && q)", for_each: "[1].map(|item| item)", uses: command, with: { run: [ls, "${{ [1].map(|x| x + item) }}"] } }
"#;
}
