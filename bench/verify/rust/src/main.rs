//! The peer of bench/verify.c for quotes: dcap-qvl.
//!
//!     verify bench VECTORS SET   a line with a number is answered by microseconds a verification, and peak memory in KiB
//!     verify judge VECTORS       a line "SET FILE=HEX..." is answered by "yes STATUS", or "no" and why
use dcap_qvl::{verify::QuoteVerifier, QuoteCollateralV3};
use std::collections::HashMap;
use std::io::{self, BufRead, Write};
use std::path::{Path, PathBuf};

type Files = HashMap<String, Vec<u8>>;
type Failed = Box<dyn std::error::Error>;

fn load(folder: &Path) -> Result<Files, Failed> {
    let mut files = Files::new();
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        files.insert(path.file_name().unwrap_or_default().to_string_lossy().into_owned(), std::fs::read(&path)?);
    }
    let own = issuers(&files["quote.bin"]);
    files.insert("pck_crl_chain.pem".into(), own);
    Ok(files)
}

/// Whoever issued the platform's certificate: the second and third of those in the quote.
fn issuers(quote: &[u8]) -> Vec<u8> {
    let begin = b"-----BEGIN";
    let at: Vec<usize> = quote.windows(begin.len()).enumerate().filter(|(_, w)| w == begin).map(|(i, _)| i).collect();
    let end = quote.iter().rposition(|&b| b == b'-').map_or(0, |i| i + 1);
    at.get(1).map_or(Vec::new(), |&from| quote[from..end.max(from)].to_vec())
}

/// "2025-07-01T00:00:00Z" in seconds since 1970 (days by the civil calendar).
fn seconds(text: &str) -> Option<i64> {
    let n = |from: usize, to: usize| text.get(from..to)?.parse::<i64>().ok();
    let (year, month, day) = (n(0, 4)?, n(5, 7)?, n(8, 10)?);
    let y = if month <= 2 { year - 1 } else { year };
    let of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    let of_era = (y % 400) * 365 + (y % 400) / 4 - (y % 400) / 100 + of_year;
    Some(((y / 400) * 146097 + of_era - 719468) * 86400 + n(11, 13)? * 3600 + n(14, 16)? * 60 + n(17, 19)?)
}

fn reference_time(files: &Files) -> Option<u64> {
    let text = std::str::from_utf8(files.get("expected.json")?).ok()?;
    let from = text.find("\"reference_time\"")?;
    let value = &text[from..];
    let quoted = value.split('"').nth(3)?;
    u64::try_from(seconds(quoted)?).ok()
}

fn verify(files: &Files, now: u64) -> Result<String, Failed> {
    let bytes = |name: &str| files.get(name).cloned().unwrap_or_default();
    let text = |name: &str| String::from_utf8(bytes(name));
    let collateral = QuoteCollateralV3 {
        pck_crl_issuer_chain: text("pck_crl_chain.pem")?,
        root_ca_crl: bytes("root_ca_crl.der"),
        pck_crl: bytes("pck_crl.der"),
        tcb_info_issuer_chain: text("tcb_info_chain.pem")?,
        tcb_info: text("tcb_info.json")?,
        tcb_info_signature: bytes("tcb_info.sig"),
        qe_identity_issuer_chain: text("qe_identity_chain.pem")?,
        qe_identity: text("qe_identity.json")?,
        qe_identity_signature: bytes("qe_identity.sig"),
        pck_certificate_chain: None,
    };
    let verifier = QuoteVerifier::new_prod().allow_debug(true).allow_service_td(true);
    let report = verifier.verify(&bytes("quote.bin"), &collateral, now).map_err(|e| format!("{e:#}"))?;
    Ok(report.status)
}

fn peak_kib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find(|l| l.starts_with("VmHWM:")).unwrap_or_default();
    line.split_whitespace().nth(1).and_then(|n| n.parse().ok()).unwrap_or(0)
}

/// Nanoseconds on a processor, of this one thread.
fn cpu_ns() -> Result<u64, Failed> {
    let told = std::fs::read_to_string("/proc/self/schedstat")?;
    Ok(told.split_whitespace().next().ok_or("no figures")?.parse()?)
}

fn bench(folder: &Path) -> Result<(), Failed> {
    let files = load(folder)?;
    let now = reference_time(&files).ok_or("no reference time")?;
    verify(&files, now)?;
    println!("ready");
    for line in io::stdin().lock().lines() {
        let count: u32 = line?.trim().parse()?;
        let began = cpu_ns()?;
        for _ in 0..count {
            verify(&files, now)?;
        }
        println!("{} {}", (cpu_ns()? - began) as f64 / 1e3 / f64::from(count), peak_kib());
    }
    Ok(())
}

fn unhex(digits: &str) -> Option<Vec<u8>> {
    (0..digits.len() / 2).map(|i| u8::from_str_radix(digits.get(2 * i..2 * i + 2)?, 16).ok()).collect()
}

fn judge(vectors: &Path) -> Result<(), Failed> {
    let mut sets: HashMap<String, Files> = HashMap::new();
    let mut out = io::stdout().lock();
    for line in io::stdin().lock().lines() {
        let line = line?;
        let mut words = line.split_whitespace();
        let name = words.next().ok_or("an empty line")?;
        if !sets.contains_key(name) {
            sets.insert(name.into(), load(&vectors.join(name))?);
        }
        let mut files = sets[name].clone();
        for word in words {
            let (file, digits) = word.split_once('=').ok_or("a word without =")?;
            files.insert(file.into(), unhex(digits).ok_or("no digits")?);
        }
        let now = reference_time(&files).ok_or("no reference time")?;
        match verify(&files, now) {
            Ok(status) => writeln!(out, "yes {status}")?,
            Err(e) => writeln!(out, "no {:?}", e.to_string())?,
        }
        out.flush()?;
    }
    Ok(())
}

fn main() -> Result<(), Failed> {
    let words: Vec<String> = std::env::args().collect();
    let path = |i: usize| PathBuf::from(&words[i]);
    match (words.get(1).map(String::as_str), words.len()) {
        (Some("bench"), 4) => bench(&path(2).join(&words[3])),
        (Some("judge"), 3) => judge(&path(2)),
        _ => Err("usage: verify bench VECTORS SET | verify judge VECTORS".into()),
    }
}
