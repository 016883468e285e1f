//! The fake of AWS of the test kit, for a bench that is another process.
//!
//! It prints its address. Then it answers each line of its standard input, the beginning of the name of an operation such as
//! `sts.`, with the number of such calls so far. It ends with its input.

use std::io::{self, BufRead, Write};

use testkit::aws::{Fake, Options};

fn main() -> io::Result<()> {
    // A bench asks for more codes than a device shows in its time.
    let options = serde_json::json!({ "mfa_code": "123456", "lenient": ["code-reuse"] });
    let fake = Fake::start(Options::from_json(&options));
    let mut out = io::stdout().lock();
    writeln!(out, "{}", fake.url())?;
    out.flush()?;
    for line in io::stdin().lock().lines() {
        let beginning = line?;
        let calls = fake.calls().iter().filter(|call| call.api.starts_with(&beginning)).count();
        writeln!(out, "{calls}")?;
        out.flush()?;
    }
    Ok(())
}
