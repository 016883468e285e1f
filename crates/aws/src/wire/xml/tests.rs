//! What is read of XML, and what is refused.

use super::*;

fn text(xml: &str) -> Option<String> {
    Element::parse(xml.as_bytes()).map(|root| root.text().to_owned())
}

#[test]
fn a_tree_is_read_with_its_texts() {
    let xml = "<?xml version=\"1.0\"?>\n<a xmlns=\"x\"><!-- c --><b> 1&amp;&#50;&#x33; </b><l><member>p</member><member/></l></a>\n";
    let root = Element::parse(xml.as_bytes()).unwrap();
    assert_eq!(root.name(), "a");
    assert_eq!(root.text_of("b"), Some("1&23"));
    assert_eq!(root.child("l").unwrap().members().map(Element::text).collect::<Vec<_>>(), ["p", ""]);
    assert_eq!(root.text_of("c"), None);
    assert_eq!(text("<a><![CDATA[<x>&amp;]]></a>").as_deref(), Some("<x>&amp;"));
    assert_eq!(text("<p:a xmlns:p=\"y\">1</p:a>").as_deref(), Some("1"));
}

#[test]
fn a_name_that_is_there_twice_is_not_chosen_from() {
    assert!(Element::parse(b"<a><b>1</b><b>2</b></a>").unwrap().child("b").is_none());
}

#[test]
fn what_is_not_one_plain_document_is_refused() {
    for bad in [
        "",
        "text",
        "<a>",
        "<a></b>",
        "</a>",
        "<a/><b/>",
        "<a></a>x",
        "<!DOCTYPE a [<!ENTITY x \"y\">]><a>&x;</a>",
        "<a>&unknown;</a>",
        "<a>&#0;</a>",
    ] {
        assert!(Element::parse(bad.as_bytes()).is_none(), "{bad}");
    }
    assert!(Element::parse(&[0xff, 0xfe]).is_none());
    assert!(Element::parse("<a>".repeat(100).as_bytes()).is_none());
    let many = format!("<a>{}</a>", "<b/>".repeat(MOST + 1));
    assert!(Element::parse(many.as_bytes()).is_none());
}

#[test]
fn a_long_text_is_read_whole() {
    let long = "x".repeat(5000);
    assert_eq!(text(&format!("<a>{long}&lt;{long}</a>")), Some(format!("{long}<{long}")));
}
