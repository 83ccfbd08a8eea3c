//! A practice farm and tenant that are served, and what a test asks of them.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::path::PathBuf;
use std::process::Command;

use serde_json::Value;
use url::form_urlencoded::Serializer;

use crate::support::pwsh::pwsh;
use crate::support::{Outcome, Project, Running};

pub(crate) const TENANT: &str = "00fceb75-246c-4ac4-a0ad-7124aaaaaaaa";
pub(crate) const OBJECT: &str = "a2c1f0de-1111-4444-8888-5c5c5c5c5c5c";
pub(crate) const APP: &str = "00000003-0000-0ff1-ce00-000000000000";
pub(crate) const CLIENT: &str = "5e1f0c0a-7b0b-4f0e-9a55-0c2d7a5f3e10";
pub(crate) const TOOLS: &str = "14d82eec-204b-4c2f-b7e8-296a70dab67e";

/// Served until it is dropped.
pub(crate) struct Bench {
    pub(crate) project: Project,
    served: Option<Running>,
    pub(crate) port: u16,
}

/// An answer of the tenant.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    /// With names in small letters.
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: String,
}

impl Answer {
    #[track_caller]
    pub(crate) fn status(self, expected: u16) -> Self {
        assert_eq!(self.status, expected, "{}", self.body);
        self
    }

    #[track_caller]
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {}", self.body))
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(known, _)| known == name);
        found.map(|(_, value)| value.as_str())
    }
}

impl Bench {
    /// A new one.
    pub(crate) fn new(options: &[&str]) -> Self {
        let mut bench = Self {
            project: Project::new(),
            served: None,
            port: 0,
        };
        bench.serve(options);
        bench
    }

    /// Serves it, for the first time or again.
    pub(crate) fn serve(&mut self, options: &[&str]) {
        let args = ["practice", "--json"].iter().chain(options);
        let mut running = self.project.start(args);
        let said = running.next_line();
        let said = said.unwrap_or_else(|| panic!("it ended:\n{}", running.told()));
        let address = said["address"].as_str().unwrap().to_owned();
        self.port = address.rsplit_once(':').unwrap().1.parse().unwrap();
        self.served = Some(running);
    }

    /// The program that serves it.
    pub(crate) fn served(&mut self) -> Running {
        self.served.take().unwrap()
    }

    pub(crate) fn address(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    pub(crate) fn run(&self, args: &[&str]) -> Outcome {
        self.project.run(args)
    }

    pub(crate) fn fault(&self, args: &[&str]) {
        self.run(&[&["practice", "fault"], args].concat()).code(0);
    }

    /// Sends a request as it stands, and gives what came back; nothing where nothing did.
    pub(crate) fn send_raw(&self, request: &[u8]) -> Option<Answer> {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).unwrap();
        stream.write_all(request).unwrap();
        let mut answer = Vec::new();
        // A server that refuses a large body closes before all of it was sent.
        let _reset = stream.read_to_end(&mut answer);
        let answer = String::from_utf8(answer).unwrap();
        let (head, body) = answer.split_once("\r\n\r\n")?;
        let mut lines = head.lines();
        let status = lines.next()?.split(' ').nth(1)?.parse().ok()?;
        let headers = lines
            .filter_map(|line| line.split_once(": "))
            .map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned()))
            .collect();
        Some(Answer {
            status,
            headers,
            body: body.to_owned(),
        })
    }

    fn request(&self, method: &str, target: &str, headers: &str, body: &str) -> Option<Answer> {
        let head = format!(
            "{method} {target} HTTP/1.1\r\nhost: 127.0.0.1:{}\r\nconnection: close\r\ncontent-length: {}\r\n{headers}\r\n",
            self.port,
            body.len()
        );
        self.send_raw([head.as_bytes(), body.as_bytes()].concat().as_slice())
    }

    #[track_caller]
    pub(crate) fn get(&self, target: &str) -> Answer {
        self.request("GET", target, "", "").unwrap()
    }

    #[track_caller]
    pub(crate) fn post(&self, target: &str, form: &[(&str, &str)]) -> Answer {
        let body = Serializer::new(String::new()).extend_pairs(form).finish();
        let headers = "content-type: application/x-www-form-urlencoded\r\n";
        self.request("POST", target, headers, &body).unwrap()
    }

    /// What the sign-in says to a form.
    #[track_caller]
    pub(crate) fn token(&self, form: &[(&str, &str)]) -> Answer {
        self.post(&format!("/{TENANT}/oauth2/v2.0/token"), form)
    }

    /// The application's secret.
    pub(crate) fn secret(&self) -> String {
        self.project.read("practice/app-secret.txt").unwrap()
    }

    /// The application signs in with its secret.
    #[track_caller]
    pub(crate) fn sign_in(&self) -> SignedIn<'_> {
        let (scope, secret) = (format!("{}/.default", self.address()), self.secret());
        let answer = self.token(&[
            ("grant_type", "client_credentials"),
            ("client_id", CLIENT),
            ("client_secret", &secret),
            ("scope", &scope),
        ]);
        let token = answer.status(200).json()["access_token"]
            .as_str()
            .unwrap()
            .to_owned();
        SignedIn { bench: self, token }
    }

    /// The tenant's state.
    pub(crate) fn tenant(&self) -> Value {
        serde_json::from_str(&self.project.read("practice/tenant.json").unwrap()).unwrap()
    }

    /// The farm's state.
    pub(crate) fn farm(&self) -> Value {
        serde_json::from_str(&self.project.read("practice/farm.json").unwrap()).unwrap()
    }

    /// What changed the farm or the tenant so far.
    pub(crate) fn calls(&self, of: &str) -> Vec<String> {
        let text = self
            .project
            .read(&format!("practice/{of}-calls.jsonl"))
            .unwrap_or_default();
        let call = |line: &str| {
            serde_json::from_str::<Value>(line).unwrap()["call"]
                .as_str()
                .unwrap()
                .to_owned()
        };
        // Whoever looks while it is written sees a line that has no end yet.
        let whole = text.rfind('\n').map_or("", |end| &text[..end]);
        whole.lines().map(call).collect()
    }

    /// Carries a script out with a real PowerShell, as the settings say; nothing where there is none.
    pub(crate) fn powershell(&self, script: &str) -> Option<Outcome> {
        let modules = self.project.path().join("practice/modules");
        let mut command = Command::new(pwsh()?);
        command
            .args(["-NoLogo", "-NoProfile", "-NonInteractive"])
            // On Windows a module that is a script is not loaded otherwise.
            .args(["-ExecutionPolicy", "Bypass", "-Command", script])
            .env("PSModulePath", modules)
            .env("ENDPOINT", format!("{}/{TENANT}/metadata/json/1", self.address()))
            .current_dir(self.project.path());
        Some(command.output().unwrap().into())
    }

    pub(crate) fn folder(&self) -> PathBuf {
        self.project.path().join("practice")
    }
}

/// Graph, with a token.
pub(crate) struct SignedIn<'a> {
    pub(crate) bench: &'a Bench,
    pub(crate) token: String,
}

impl SignedIn<'_> {
    fn headers(&self) -> String {
        format!(
            "authorization: Bearer {}\r\ncontent-type: application/json\r\n",
            self.token
        )
    }

    #[track_caller]
    pub(crate) fn get(&self, path: &str, query: &[(&str, &str)]) -> Answer {
        let query = Serializer::new(String::new()).extend_pairs(query).finish();
        let target = format!("/v1.0{path}?{query}");
        self.bench.request("GET", &target, &self.headers(), "").unwrap()
    }

    /// Nothing where the answer was lost.
    pub(crate) fn patch(&self, body: &Value) -> Option<Answer> {
        self.patch_of(OBJECT, body)
    }

    /// The same for any application.
    pub(crate) fn patch_of(&self, id: &str, body: &Value) -> Option<Answer> {
        let target = format!("/v1.0/servicePrincipals/{id}");
        self.bench
            .request("PATCH", &target, &self.headers(), &body.to_string())
    }

    /// SharePoint's application, as asking for it by its id shows it.
    #[track_caller]
    pub(crate) fn application(&self) -> Value {
        let select = ("$select", "id,keyCredentials,servicePrincipalNames");
        self.get(&format!("/servicePrincipals/{OBJECT}"), &[select])
            .status(200)
            .json()
    }
}
