//! URLs, domains and hosts: which texts are one, and what is wrong with those that are not.

use std::net::IpAddr;

use url::Url;

use super::ParamError;
use super::kind::quoted;

pub(super) fn check_url(text: &str, schemes: &[String]) -> Result<String, ParamError> {
    let allowed = if schemes.is_empty() {
        "https".to_owned()
    } else {
        schemes.join("` or `")
    };
    let url = Url::parse(text).map_err(|error| {
        let scheme = schemes.first().map_or("https", String::as_str);
        let problem = ParamError::new(format!("{} is not a URL: {}", quoted(text), in_words(error)));
        let full = format!("{scheme}://{text}");
        match Url::parse(&full) {
            Ok(_) if !text.contains("://") => problem.help(format!("write `{full}`")),
            Ok(_) | Err(_) => problem.help(format!("a URL looks like `{scheme}://www.example.com/page`")),
        }
    })?;
    if !schemes.is_empty() && !schemes.iter().any(|scheme| scheme == url.scheme()) {
        let problem = ParamError::new(format!("a URL with `{}` is not allowed here", url.scheme()));
        return Err(problem.help(format!("it must start with `{allowed}`")));
    }
    if url.host_str().is_none_or(str::is_empty) {
        return Err(ParamError::new(format!("{} names no host", quoted(text))));
    }
    if url.password().is_some() {
        let problem = ParamError::new("a URL must not hold a password");
        return Err(problem.help("it would be kept in the journal; use a parameter of type `secret`"));
    }
    Ok(text.to_owned())
}

/// What is wrong with a URL, for people who do not know the grammar of URLs.
fn in_words(error: url::ParseError) -> &'static str {
    use url::ParseError;
    match error {
        ParseError::RelativeUrlWithoutBase => "it does not begin with a protocol, such as `https://`",
        ParseError::EmptyHost => "it names no host",
        ParseError::InvalidPort => "its port is not a number up to 65535",
        ParseError::InvalidIpv4Address | ParseError::InvalidIpv6Address => {
            "its host looks like an IP address, and is none"
        }
        ParseError::IdnaError | ParseError::InvalidDomainCharacter => {
            "its host holds a character that no name has"
        }
        ParseError::Overflow => "it is too long",
        _ => "it does not follow the rules for URLs",
    }
}

pub(super) fn check_domain(text: &str) -> Result<String, ParamError> {
    let lower = text.to_ascii_lowercase();
    let wrong = |why: &str| ParamError::new(format!("{} is not a domain: {why}", quoted(text)));
    let write = |error: ParamError, domain: &str| match is_domain(domain) {
        true => error.help(format!("write `{domain}`")),
        false => error.help("write a name like `example.com`"),
    };
    if let Some((_, rest)) = lower.split_once("://") {
        let domain = rest.split(['/', ':', '?', '#']).next().unwrap_or_default();
        return Err(write(wrong("it holds a protocol"), domain));
    }
    if let Some((domain, _)) = lower.split_once(['/', '?', '#']) {
        return Err(write(
            wrong("it holds a path"),
            domain.split(':').next().unwrap_or_default(),
        ));
    }
    if lower.trim_matches(['[', ']']).parse::<IpAddr>().is_ok() {
        return Err(
            wrong("it is an IP address").help("write the name that the DNS knows, like `example.com`")
        );
    }
    if let Some((_, domain)) = lower.split_once('@') {
        return Err(write(wrong("it is an address for mail"), domain));
    }
    if let Some((domain, _)) = lower.split_once(':') {
        return Err(write(wrong("it holds a port"), domain));
    }
    if lower.contains('*') {
        return Err(write(
            wrong("it holds a wildcard"),
            lower.trim_start_matches(['*', '.']),
        ));
    }
    if let Some(domain) = lower.strip_suffix('.') {
        return Err(write(wrong("it ends with a dot"), domain));
    }
    if let Some(c) = lower
        .chars()
        .find(|&c| !matches!(c, 'a'..='z' | '0'..='9' | '-' | '.'))
    {
        let help = if c.is_alphabetic() {
            "write it as the DNS knows it, in the form that begins with `xn--`"
        } else {
            "a domain holds letters, digits, `-` and dots"
        };
        return Err(wrong(&format!(
            "it holds {}, which no domain does",
            quoted(&c.to_string())
        ))
        .help(help));
    }
    if lower.is_empty() {
        return Err(wrong("it is empty").help("write a name like `example.com`"));
    }
    if is_label(&lower) {
        return Err(wrong("it has no dot").help(format!("write it in full, like `{lower}.example.com`")));
    }
    if !is_domain(&lower) {
        let help = "each part between the dots has 1 to 63 letters, digits and `-`, and begins and ends with no `-`; \
                    the last is no number";
        return Err(wrong("a part between the dots is none that a domain has").help(help));
    }
    Ok(lower)
}

fn is_domain(text: &str) -> bool {
    let last_is_no_number = text
        .rsplit('.')
        .next()
        .is_some_and(|last| !last.bytes().all(|b| b.is_ascii_digit()));
    text.len() <= 253 && text.contains('.') && text.split('.').all(is_label) && last_is_no_number
}

fn is_label(label: &str) -> bool {
    let fits = |b: u8| b.is_ascii_alphanumeric() || b == b'-';
    (1..=63).contains(&label.len())
        && label.bytes().all(fits)
        && !label.starts_with('-')
        && !label.ends_with('-')
}

pub(super) fn check_host(text: &str) -> Result<String, ParamError> {
    let lower = text.to_ascii_lowercase();
    let wrong = |why: &str| ParamError::new(format!("{} is not a host: {why}", quoted(text)));
    if lower.parse::<IpAddr>().is_ok() {
        return Ok(lower);
    }
    if let Some((_, rest)) = lower.split_once("://") {
        let host = rest.split(['/', ':', '?', '#']).next().unwrap_or_default();
        return Err(wrong("it holds a protocol").help(format!("write `{host}`")));
    }
    if let Some((host, _)) = lower.split_once(['/', ':']) {
        return Err(wrong("it holds a port or a path").help(format!("write `{host}`")));
    }
    // Windows machines may have `_` in their names.
    let fits = |label: &str| is_label(&label.replace('_', "x"));
    if lower.len() <= 253 && lower.split('.').all(fits) {
        Ok(lower)
    } else {
        Err(wrong("it is neither a name nor an address")
            .help("write a name like `web1`, `web1.example.com`, or an IP address"))
    }
}
