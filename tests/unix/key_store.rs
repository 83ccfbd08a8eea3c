//! Secrets from the key store of a Unix desktop.

use crate::platform;
use crate::secret_sources::{project, secret_file, went_through};
use crate::support::Outcome;

#[test]
fn a_secret_comes_from_the_key_store() {
    let project = project();
    secret_file(&project);
    // What answers for the Secret Service: it gives the one secret that it knows.
    let tool = project.write(
        "bin/secret-tool",
        "#!/bin/sh\n[ \"$*\" = 'lookup service farm username bob' ] && exec cat \"$TOKEN_FILE\"\nexit 1\n",
    );
    platform::make_executable(&tool);
    let exec = |source: &str| -> Outcome {
        let path = std::env::var("PATH").unwrap();
        let bin = project.path().join("bin");
        let mut command = project.command(["exec", "steps.yaml", "--secret", source]);
        command
            .env("PATH", format!("{}:{path}", bin.display()))
            .env("TOKEN_FILE", project.path().join("token.txt"))
            .output()
            .unwrap()
            .into()
    };
    exec("token=keystore:farm")
        .code(3)
        .tells("RB0106")
        .tells("`farm` in the system's key store");
    std::fs::remove_file(project.path().join("log")).unwrap();
    let outcome = exec("token=keystore:farm/bob");
    went_through(&project, outcome);
}
