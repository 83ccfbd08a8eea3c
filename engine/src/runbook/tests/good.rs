//! What becomes of files that are right.

use std::time::Duration;

use serde_json::json;

use super::{good, read, render};
use crate::core::OnFailure;
use crate::id::StepId;
use crate::runbook::{RehearsedDoubt, schema};

const FULL: &str = r##"
runbook: hybrid-s2s
title: Server-to-server authentication
source: https://learn.microsoft.com/sharepoint/hybrid
params:
  public_domain: { type: domain, prompt: Root of your public DNS domain, example: Adventureworks.com }
  web_app_url: { type: url, schemes: [http, https], example: "https://sharepoint.adventureworks.com" }
  web_servers: { type: list, of: host, default: [WEB1, web2] }
  client_secret: { type: secret, optional: true }
roles:
  farm-admin: Member of the Farm Administrators group
  tenant-admin: { title: Microsoft 365 global administrator }
sessions:
  farm: { uses: site.cloud, role: farm-admin, with: { edition: "${{ params.public_domain }}" } }
steps:
  read-tenant:
    uses: command
    with: { run: [tenant, --domain, "${{ params.public_domain }}"], validate: [look], file: hello.txt }
  oauth-over-http:
    title: Configure OAuth over HTTP
    source: "#configOAuth"
    needs: read-tenant
    when: params.web_app_url.starts_with("http://")
    for_each: params.web_servers
    role: farm-admin
    session: farm
    lock: [iis, dns]
    timeout: 1h30m
    retry: { attempts: 3, delay: 10s, backoff: 1.5, max_delay: 1m, deadline: 2h }
    idempotent: true
    on_failure: continue
    expect: 2d
    warning: The farm is slow meanwhile
    rehearse: { satisfied: false, observed: { allow: false }, outputs: { id: 7 }, takes: 5s, interrupted: unknown }
    uses: command
    with:
      run: [set, "${{ item }}", "${{ steps.read_tenant.outputs.id }}", "${{ steps[\"read-tenant\"].status }}"]
      count: ${{ params.web_servers.len() }}
  last:
    needs: [oauth-over-http]
    retry: 2
    uses: script
    with: { run: "echo ${HOME}" }
"##;

#[test]
fn every_key_arrives() {
    let runbook = good(FULL);
    assert_eq!(runbook.name().as_str(), "hybrid-s2s");
    assert_eq!(runbook.title(), "Server-to-server authentication");
    assert_eq!(
        runbook.source(),
        Some("https://learn.microsoft.com/sharepoint/hybrid")
    );
    assert_eq!(
        runbook.roles()["tenant-admin"],
        "Microsoft 365 global administrator"
    );
    assert_eq!(runbook.sessions()["farm"].uses.as_str(), "site.cloud");
    assert_eq!(runbook.params()["web_servers"].kind_name(), "list of host");
    assert_eq!(
        runbook.params()["web_servers"].default,
        Some(json!(["web1", "web2"]))
    );
    assert_eq!(
        runbook.params()["public_domain"].example,
        Some(json!("adventureworks.com"))
    );
    assert_eq!(runbook.files()["hello.txt"], "hello");
    let step = &runbook.steps()["oauth-over-http"];
    assert_eq!(step.needs, ["read-tenant".parse::<StepId>().unwrap()]);
    assert_eq!(
        step.when.as_ref().unwrap().source(),
        "params.web_app_url.starts_with(\"http://\")"
    );
    assert_eq!(
        step.locks.iter().map(|lock| lock.as_str()).collect::<Vec<_>>(),
        ["dns", "iis", "session-farm"]
    );
    assert_eq!(step.timeout, Some(Duration::from_secs(5_400)));
    assert_eq!(
        (step.retry.attempts, step.retry.delay),
        (3, Duration::from_secs(10))
    );
    assert_eq!(step.retry.deadline, Some(Duration::from_secs(7_200)));
    assert_eq!((step.idempotent, step.on_failure), (true, OnFailure::Continue));
    assert_eq!(step.duration, Some(Duration::from_secs(172_800)));
    assert_eq!(step.warning.as_deref(), Some("The farm is slow meanwhile"));
    assert_eq!(step.rehearse.observed, json!({ "allow": false }));
    assert_eq!(step.rehearse.outputs["id"], json!(7));
    assert_eq!(step.rehearse.interrupted, Some(RehearsedDoubt::Unknown));
    assert_eq!(step.with["run"][0], "set");
    let last = &runbook.steps()["last"];
    assert_eq!((last.title.as_str(), last.retry.attempts), ("last", 2));
    assert!(runbook.steps()["read-tenant"].abilities.validates && !last.abilities.validates);
}

#[test]
fn the_workflow_has_the_order_and_the_policies() {
    let runbook = good(FULL);
    let policies: Vec<_> = runbook.workflow().steps().map(|(_, policy)| policy).collect();
    assert_eq!(
        policies
            .iter()
            .map(|policy| policy.id.as_str())
            .collect::<Vec<_>>(),
        ["read-tenant", "oauth-over-http", "last"]
    );
    assert!(policies[1].conditional && policies[1].fans_out && !policies[0].fans_out);
    assert!(
        policies[1]
            .locks
            .iter()
            .any(|lock| lock.as_str() == "session-farm")
    );
}

#[test]
fn a_byte_order_mark_windows_line_ends_and_anchors_are_fine() {
    let text = "\u{feff}runbook: a\r\nsteps:\r\n  one: &one\r\n    uses: command\r\n    with: { run: &run [ls] }\r\n  \
                two:\r\n    needs: one\r\n    uses: command\r\n    with: { run: *run }\r\n";
    let runbook = good(text);
    assert_eq!(runbook.steps()["two"].with, json!({ "run": ["ls"] }));
    let span = runbook.steps()["two"].span;
    assert_eq!(&text[span.start..span.end], "two");
}

#[test]
fn a_template_in_a_script_is_only_a_warning() {
    let loaded = read("runbook: a\nsteps:\n  one: { uses: script, with: { run: 'echo ${{ params.x }}' } }\n");
    assert!(loaded.runbook.is_some());
    insta::assert_snapshot!(render(&loaded.diagnostics));
}

#[test]
fn a_runbook_can_be_shared_between_threads() {
    fn assert_shareable<T: Send + Sync + 'static>() {}
    assert_shareable::<crate::runbook::Runbook>();
}

#[test]
fn many_mistakes_end_the_check_soon() {
    let step = |at| {
        format!(
            "  s{at}: {{ needs: [no{at}], uses: command, with: {{ run: [\"${{{{ steps.x{at} }}}}\"] }} }}\n"
        )
    };
    let steps: String = (0..5_000).map(step).collect();
    let loaded = read(&format!("runbook: a\nsteps:\n{steps}"));
    assert_eq!(loaded.diagnostics.len(), 1_001);
    assert!(loaded.diagnostics[1_000].message.contains("the rest is not told"));
}

#[test]
fn the_schema_is_that_of_draft_2020_12_and_knows_the_plugins() {
    let schema = schema(&super::registry());
    assert_eq!(schema["$schema"], "https://json-schema.org/draft/2020-12/schema");
    let rules = schema["$defs"]["StepFile"]["allOf"].as_array().unwrap();
    let rule = rules
        .iter()
        .find(|rule| rule["if"]["properties"]["uses"]["const"] == "command")
        .unwrap();
    assert_eq!(rule["then"]["properties"]["with"]["$ref"], "#/$defs/with.command");
    assert_eq!(rule["then"]["required"], json!(["with"]));
    assert_eq!(schema["properties"]["title"]["type"], "string");
    assert!(
        !serde_json::to_string(&schema["$defs"]["StepFile"])
            .unwrap()
            .contains("null")
    );
    assert!(schema["$defs"]["with.command"]["properties"]["validate"].is_object());
}

#[test]
#[expect(clippy::disallowed_methods, reason = "the test is about time")]
fn ten_thousand_steps_load_in_a_moment() {
    let mut text = String::from("runbook: large\nparams:\n  host: { type: host, default: web1 }\nsteps:\n");
    for at in 0..10_000_u32 {
        let needs = if at == 0 {
            String::new()
        } else {
            format!("    needs: [s{}]\n", at - 1)
        };
        let back = at.saturating_sub(7 * (at % 50)).min(at.saturating_sub(1));
        let read = if at == 0 {
            String::new()
        } else {
            format!(", \"${{{{ steps.s{back}.outputs.id }}}}\"")
        };
        text.push_str(&format!(
            "  s{at}:\n    title: Step number {at}\n{needs}    when: params.host != \"\"\n    uses: command\n    \
             with:\n      run: [echo, \"${{{{ params.host }}}}\"{read}]\n"
        ));
    }
    let started = std::time::Instant::now();
    assert_eq!(good(&text).steps().len(), 10_000);
    assert!(
        started.elapsed() < Duration::from_secs(60),
        "it took {:?}",
        started.elapsed()
    );
}
