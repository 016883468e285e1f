//! Tests of the forms of a secret and their fragments.

use super::super::Mask;
use super::*;
use crate::tests::fixture::{CANARY, secret};

/// Whether nothing of the secret is left in a text but what stood around it.
fn hides(plain: &str, text: &str) -> bool {
    let mask = Mask::new(&secret(plain)).unwrap();
    mask.text(text.as_bytes()).is_some_and(|masked| masked.bytes.len() == text.len())
}

#[test]
fn every_form_has_its_fragment_inside_and_is_long_enough() {
    for plain in
        [CANARY.as_bytes(), b"CANARY-8", b"aaaaaaaa", "ééééCANARY".as_bytes(), &[0xff; 9], b"a b c d "]
    {
        for form in of(plain) {
            assert!(form.bytes.len() >= 8, "{:?}", String::from_utf8_lossy(&form.bytes));
            assert!(form.fragment_bytes().is_some());
        }
    }
}

#[test]
fn base_64_is_found_at_each_alignment_inside_longer_texts() {
    for plain in ["CANARY-8", "CANARY-89", "CANARY-8910", CANARY] {
        for before in ["", "u", "us", "use", "user:", "{\"a\":\""] {
            for behind in ["", "x", "xy", "\"}"] {
                let inner = format!("{before}{plain}{behind}");
                for text in [
                    STANDARD_NO_PAD.encode(&inner),
                    URL_SAFE_NO_PAD.encode(&inner),
                    crypto::to_base64(inner.as_bytes()),
                ] {
                    assert!(hides(plain, &format!("Basic {text}")), "{inner} {text}");
                }
            }
        }
    }
}

#[test]
fn base_64_leaves_at_most_one_character_at_each_end() {
    let plain = "CANARY-0123456789";
    let mask = Mask::new(&secret(plain)).unwrap();
    for before in 0..3 {
        let text = STANDARD_NO_PAD.encode(format!("{}{plain}", &"uuu"[..before]));
        let masked = String::from_utf8(mask.text(text.as_bytes()).unwrap().bytes).unwrap();
        let kept = masked.chars().zip(text.chars()).filter(|(a, b)| a == b).count();
        assert!(kept <= before + 2, "{masked}");
    }
}

#[test]
fn every_usual_way_to_escape_is_found() {
    let plain = "CANARY/a+b c&<\"'>\u{e9}~!é";
    let bytes = plain.as_bytes();
    let hex = crypto::to_hex(bytes);
    let percent: String = bytes.iter().map(|byte| format!("%{byte:02x}")).collect();
    let unicode: String = bytes.iter().map(|byte| format!("\\u00{byte:02X}")).collect();
    let texts = [
        plain.to_owned(),
        hex.to_uppercase(),
        hex,
        percent.to_uppercase(),
        percent,
        unicode,
        serde_json::to_string(plain).unwrap(),
        serde_json::to_string(plain).unwrap().replace('/', "\\/"),
        "CANARY/a+b c\\u0026\\u003c\\\"'\\u003e\u{e9}~!é".to_owned(),
        "CANARY/a+b c&<\\\"'>\\u00e9~!\\u00e9".to_owned(),
        "CANARY%2Fa%2Bb%20c%26%3C%22%27%3E%C3%A9~%21%C3%A9".to_owned(),
        "CANARY%2fa%2bb%20c%26%3c%22%27%3e%c3%a9~%21%c3%a9".to_owned(),
        "CANARY%2Fa%2Bb%20c%26%3C%22'%3E%C3%A9~!%C3%A9".to_owned(),
        "CANARY%2Fa%2Bb+c%26%3C%22%27%3E%C3%A9%7E%21%C3%A9".to_owned(),
        "CANARY/a+b%20c&%3C%22'%3E%C3%A9~!%C3%A9".to_owned(),
        "CANARY/a+b c&amp;&lt;&quot;&#39;&gt;é~!é".to_owned(),
        "CANARY/a+b c&amp;&lt;&#34;&#39;&gt;é~!é".to_owned(),
        "CANARY/a+b c&amp;&lt;&quot;&#x27;&gt;é~!é".to_owned(),
        "CANARY/a+b c&amp;&lt;\"'&gt;é~!é".to_owned(),
    ];
    for text in texts {
        assert!(hides(plain, &text), "{text}");
    }
}

#[test]
fn what_single_writers_escape_is_found() {
    let plain = "CANARY+a/b=c`d'e*f g&<>\"h==";
    let texts = [
        // Gson, .NET, PHP
        "CANARY+a/b\\u003dc`d\\u0027e*f g\\u0026\\u003c\\u003e\\\"h\\u003d\\u003d",
        "CANARY\\u002Ba/b=c\\u0060d\\u0027e*f g\\u0026\\u003C\\u003E\\u0022h==",
        "CANARY+a\\/b=c`d'e*f g&<>\\\"h==",
        // Handlebars, Mustache, OWASP, PHP, XML
        "CANARY+a/b&#x3D;c&#x60;d&#x27;e*f g&amp;&lt;&gt;&quot;h&#x3D;&#x3D;",
        "CANARY+a&#x2F;b&#x3D;c&#x60;d&#39;e*f g&amp;&lt;&gt;&quot;h&#x3D;&#x3D;",
        "CANARY+a&#x2F;b=c`d&#x27;e*f g&amp;&lt;&gt;&quot;h==",
        "CANARY+a/b=c`d&#039;e*f g&amp;&lt;&gt;&quot;h==",
        "CANARY+a/b=c`d&apos;e*f g&amp;&lt;&gt;&quot;h==",
        // Go, .NET, PHP with quotes as numbers, whoever mixes
        "CANARY&#43;a/b=c`d&#39;e*f g&amp;&lt;&gt;&#34;h==",
        "CANARY&#x2B;a/b=c&#x60;d&#x27;e*f g&amp;&lt;&gt;&quot;h==",
        "CANARY+a\\/b=c`d'e*f g&<>\\u0022h==",
        "CANARY\\u002ba\\/b\\u003Dc`d\\u0027e*f g&<>\\\"h=\\u003d",
        "CANARY&#0043;a&SOL;b&equals;c&grave;d&apos;e&#X2a;f g&AMP;&lt;&GT;&QUOT;h&#061=",
        // Python, PHP
        "CANARY%2Ba%2Fb%3Dc%60d%27e%2Af+g%26%3C%3E%22h%3D%3D",
    ];
    for text in texts {
        assert!(hides(plain, text), "{text}");
    }
    assert!(hides("CANARY/é/x", "CANARY\\/\\u00e9\\/x"));
    assert!(hides("CANARY+é+x", "CANARY\\u002B\\u00E9\\u002Bx"));
}

#[test]
fn fragments_come_from_one_window_of_the_secret() {
    let plain = b"xoxb-CANARY-0123456789-abcdefghijklmnopq";
    let window = rarest(plain, 0, plain.len());
    let part = &plain[window..window + FRAGMENT];
    let hex_of = |byte: u8| format!("{byte:02x}");
    let hex: String = part.iter().map(|byte| hex_of(*byte)).collect();
    let forms = of(plain);
    assert_eq!(&forms[0].fragment_bytes().unwrap(), part);
    let text = String::from_utf8(forms[1].fragment_bytes().unwrap().to_vec()).unwrap();
    assert!(hex.contains(&text));
}

#[test]
fn the_prefix_that_many_secrets_share_is_not_what_is_searched() {
    let at = rarest(b"sk-ant-api03-QxZ7", 0, 17);
    assert!(at >= 8, "{at}");
}
