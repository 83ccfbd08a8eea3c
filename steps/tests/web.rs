//! Requests of scripts: to hosts that are granted, and to no other.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

use runbook_engine::step::Context;
use runbook_engine::testing::doubles::{Recorder, context};
use serde_json::{Value, json};

use crate::support::{plugin, run};

/// A server on this machine that answers by what it is asked for, and remembers it.
struct Server {
    port: u16,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Server {
    fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let asked = Arc::<Mutex<Vec<String>>>::default();
        let told = Arc::clone(&asked);
        std::thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let told = Arc::clone(&told);
                std::thread::spawn(move || answer(stream, port, &told));
            }
        });
        Self { port, asked }
    }

    fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap().clone()
    }

    /// Sends a request, as Rhai writes it (PORT stands for the server's port), where these hosts are granted.
    async fn ask(&self, request: &str, hosts: Value) -> Result<Value, String> {
        let port = self.port.to_string();
        let script = format!(
            "fn run(cx) {{ #{{ value: http({}) }} }}",
            request.replace("PORT", &port)
        );
        let hosts: Value = serde_json::from_str(&hosts.to_string().replace("PORT", &port)).unwrap();
        let outputs = run("rhai", json!({ "script": script, "allow": { "hosts": hosts } })).await;
        outputs
            .map(|outputs| outputs["value"].clone())
            .map_err(|failure| failure.message)
    }
}

fn answer(stream: TcpStream, port: u16, told: &Mutex<Vec<String>>) {
    let mut reader = BufReader::new(stream.try_clone().unwrap());
    let mut head = String::new();
    while reader.read_line(&mut head).is_ok_and(|count| count > 2) {}
    let length = head
        .lines()
        .find_map(|line| line.to_lowercase().strip_prefix("content-length: ")?.parse().ok());
    let mut body = vec![0; length.unwrap_or(0)];
    reader.read_exact(&mut body).unwrap();
    let body = String::from_utf8(body).unwrap();
    let path = head.split(' ').nth(1).unwrap_or_default().to_owned();
    told.lock().unwrap().push(path.clone());
    let (status, extra, text) = match path.as_str() {
        "/echo" => ("200 OK", String::new(), format!("{head}{body}")),
        "/missing" => ("404 Not Found", "X-Why: gone\r\n".to_owned(), "none".to_owned()),
        "/large" => ("200 OK", String::new(), "x".repeat(5 * 1024 * 1024)),
        "/away" => (
            "302 Found",
            format!("Location: http://localhost:{port}/reached\r\n"),
            String::new(),
        ),
        "/file" => (
            "302 Found",
            "Location: file:///etc/hostname\r\n".to_owned(),
            String::new(),
        ),
        "/round" => ("302 Found", "Location: /round\r\n".to_owned(), String::new()),
        "/here" => ("302 Found", "Location: /reached\r\n".to_owned(), String::new()),
        "/reached" => ("200 OK", String::new(), "reached".to_owned()),
        // Nobody answers: the other side gives up.
        _ => {
            let _closed = reader.read_to_end(&mut Vec::new());
            return;
        }
    };
    let mut stream = stream;
    let head = format!(
        "HTTP/1.1 {status}\r\n{extra}Content-Length: {}\r\nConnection: close\r\n\r\n",
        text.len()
    );
    // Whoever was told enough may have gone away.
    let _gone = stream
        .write_all(head.as_bytes())
        .and_then(|()| stream.write_all(text.as_bytes()));
}

const HERE: &str = "127.0.0.1:PORT";

#[tokio::test(flavor = "multi_thread")]
async fn a_request_reaches_a_host_that_is_granted() {
    let server = Server::start();
    let request = r#"#{ url: "http://127.0.0.1:PORT/echo", method: "POST", headers: #{ "X-Token": "t1" }, json: #{ a: [1, ()] } }"#;
    let answer = server.ask(request, json!([HERE])).await.unwrap();
    assert_eq!(answer["status"], 200);
    let echo = answer["body"].as_str().unwrap();
    for part in [
        "POST /echo",
        "x-token: t1",
        "content-type: application/json",
        r#"{"a":[1,null]}"#,
    ] {
        assert!(echo.contains(part), "{part}: {echo}");
    }
    let answer = server
        .ask(r#"#{ url: "http://127.0.0.1:PORT/missing" }"#, json!([HERE]))
        .await
        .unwrap();
    assert_eq!(
        (&answer["status"], &answer["headers"]["x-why"]),
        (&json!(404), &json!("gone"))
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn no_url_leads_to_a_host_that_is_not_granted() {
    let server = Server::start();
    for (url, hosts) in [
        ("http://127.0.0.1:PORT/reached", json!([])),
        // A name grants no address, an address no name, and a host none of its other ports.
        ("http://127.0.0.1:PORT/reached", json!(["localhost:PORT"])),
        ("http://localhost:PORT/reached", json!([HERE])),
        ("http://127.0.0.1:PORT/reached", json!(["127.0.0.1"])),
        ("http://127.0.0.1:PORT/reached", json!(["127.0.0.1:1"])),
        ("http://127.0.0.2:PORT/reached", json!([HERE])),
        ("http://[::1]:PORT/reached", json!([HERE])),
        // What stands before `@` is no host.
        (
            "http://granted.example@127.0.0.1:PORT/reached",
            json!(["granted.example"]),
        ),
        (
            "http://127.0.0.1:PORT/reached#@granted.example",
            json!(["granted.example"]),
        ),
        (
            "http://127.0.0.1:PORT\\\\@granted.example/reached",
            json!(["granted.example"]),
        ),
        // Other ways to write an address mean the same one.
        ("http://2130706433:PORT/reached", json!(["granted.example"])),
        ("file:///etc/hostname", json!([HERE])),
        ("ftp://127.0.0.1:PORT/", json!([HERE])),
        ("/reached", json!([HERE])),
    ] {
        let told = server
            .ask(&format!("#{{ url: \"{url}\" }}"), hosts)
            .await
            .expect_err(url);
        assert!(
            told.contains("is not allowed") || told.contains("only, not") || told.contains("not a URL"),
            "{url}: {told}"
        );
    }
    assert_eq!(server.asked(), [""; 0]);
    // And the other way of writing it is the address that is granted.
    server
        .ask(r#"#{ url: "http://2130706433:PORT/reached" }"#, json!([HERE]))
        .await
        .unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_redirect_is_followed_to_granted_hosts_only() {
    let server = Server::start();
    let go = async |path: &str, hosts: Value| {
        server
            .ask(&format!("#{{ url: \"http://127.0.0.1:PORT/{path}\" }}"), hosts)
            .await
    };
    assert_eq!(go("here", json!([HERE])).await.unwrap()["body"], "reached");
    let told = go("away", json!([HERE])).await.unwrap_err();
    assert!(told.contains("it redirects elsewhere: `localhost:"), "{told}");
    assert_eq!(
        go("file", json!([HERE])).await.unwrap()["status"],
        302,
        "it leads nowhere"
    );
    let told = go("round", json!([HERE])).await.unwrap_err();
    assert!(told.contains("more than 5 times"), "{told}");
    assert_eq!(
        server.asked().iter().filter(|path| *path == "/reached").count(),
        1,
        "{:?}",
        server.asked()
    );
    assert_eq!(
        go("away", json!([HERE, "localhost:PORT"])).await.unwrap()["body"],
        "reached"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn requests_are_bounded_and_tell_no_secret() {
    let server = Server::start();
    let told = server
        .ask(r#"#{ url: "http://127.0.0.1:PORT/large" }"#, json!([HERE]))
        .await
        .unwrap_err();
    assert!(told.contains("is larger than"), "{told}");
    let told = server
        .ask(
            r#"#{ url: "http://127.0.0.1:PORT/never?key=hunter2", timeout: 0.05 }"#,
            json!([HERE]),
        )
        .await
        .unwrap_err();
    assert!(
        told.contains("did not answer in time") && !told.contains("hunter2"),
        "{told}"
    );
    let told = server
        .ask(
            r#"#{ url: "https://127.0.0.1:PORT/reached?key=hunter2", timeout: 2 }"#,
            json!([HERE]),
        )
        .await
        .unwrap_err();
    assert!(
        !told.contains("hunter2"),
        "no answer without a certificate: {told}"
    );
    for wrong in [
        r#"#{ url: "http://127.0.0.1:PORT/", method: "hunter2 x" }"#,
        r#"#{ url: "http://127.0.0.1:PORT/", headers: #{ "X-A": "hunter2\n" } }"#,
        r#"#{ url: "http://127.0.0.1:PORT/", password: "hunter2" }"#,
        r#"#{ url: "http://127.0.0.1:PORT/", body: "hunter2", json: 1 }"#,
    ] {
        let told = server.ask(wrong, json!([HERE])).await.unwrap_err();
        assert!(!told.contains("hunter2"), "{told}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_ends_when_the_step_is_stopped() {
    let server = Server::start();
    let recorder = Recorder::new();
    let cx: Context = context(&recorder);
    let url = format!("http://127.0.0.1:{}/never", server.port);
    let with = json!({
        "script": format!("fn run(cx) {{ log(\"here\"); http(#{{ url: \"{url}\" }}) }}"),
        "allow": { "hosts": [format!("127.0.0.1:{}", server.port)] },
    });
    let rhai = plugin("rhai");
    let cancel = async {
        recorder
            .until(|recorder| recorder.text("log").contains("here"))
            .await;
        cx.cancel.cancel();
    };
    let (result, ()) = tokio::join!(rhai.run(&with, &cx), cancel);
    assert_eq!(result.unwrap_err().message, "the script was stopped");
}
