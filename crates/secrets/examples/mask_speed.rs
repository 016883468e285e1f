//! Prints how fast a stream without anything to mask is searched, and how long masking a header value takes.

use std::hint::black_box;
use std::io::Write;
use std::sync::Arc;
use std::time::Instant;

use secrets::Mask;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let secret = memory::Secret::new(b"xoxb-CANARY-2345678901-Qz7Yk3Wm9Vx".to_vec())?;
    let mask = Arc::new(Mask::new(&secret)?);
    let mut out = std::io::stdout();
    let line =
        b"data: {\"id\":\"chatcmpl-9f3\",\"choices\":[{\"delta\":{\"content\":\" hello World 42\"}}]}\n\n";
    let text: Vec<u8> = line.iter().copied().cycle().take(CHUNK - 1).chain([b'\n']).collect();
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let random: Vec<u8> = std::iter::repeat_with(|| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state.to_le_bytes()[3]
    })
    .take(CHUNK)
    .collect();
    for (name, chunk) in [("json", &text), ("random", &random)] {
        let mut stream = mask.stream();
        let begin = Instant::now();
        for _ in 0..ROUNDS {
            let _ = black_box(stream.push(black_box(chunk)));
        }
        let seconds = begin.elapsed().as_secs_f64();
        let bytes = f64::from(ROUNDS) * f64::from(u32::try_from(CHUNK)?);
        writeln!(out, "{name}: {:.2} GB/s", bytes / seconds / 1e9)?;
    }
    let value = b"application/json; charset=utf-8; boundary=something";
    let begin = Instant::now();
    for _ in 0..ROUNDS {
        black_box(mask.text(black_box(value)));
    }
    writeln!(out, "header: {:.0} ns", begin.elapsed().as_secs_f64() * 1e9 / f64::from(ROUNDS))?;
    Ok(())
}

const CHUNK: usize = 64 * 1024;
const ROUNDS: u32 = 20_000;
