//! A site of two pages.

use super::*;

fn seen(page: &str) -> Seen {
    let other = r##"<h1 id="title"><a class="header" href="#title">T</a></h1>"##;
    let pages = BTreeMap::from([
        ("guide/a.html".to_owned(), page.to_owned()),
        ("index.html".to_owned(), other.to_owned()),
    ]);
    let files = ["guide/a.html", "index.html", "css/x.css"].map(str::to_owned).into();
    judge(&pages, &files)
}

#[test]
fn links_that_lead_somewhere_are_fine_and_those_that_leave_are_listed() {
    for link in
        ["../index.html", "../index.html#title", "../css/x.css", "../", "a.html", "#here", "./a.html?x=1"]
    {
        let page = format!(r#"<p id="here"><a href="{link}">x</a></p>"#);
        assert_eq!(seen(&page).broken, Vec::<String>::new(), "{link}");
    }
    let left = seen(r#"<a href="https://a.example/?b=1&amp;c=2">x</a><a href="mailto:a@b.example">y</a>"#);
    assert_eq!(
        left.outside.into_keys().collect::<Vec<_>>(),
        ["https://a.example/?b=1&c=2", "mailto:a@b.example"]
    );
}

#[test]
fn a_link_that_leads_nowhere_is_found() {
    for link in
        ["b.html", "../a.html", "../index.html#gone", "#gone", "../../index.html", "/index.html", "../css"]
    {
        assert_eq!(seen(&format!(r#"<a href="{link}">x</a>"#)).broken.len(), 1, "{link}");
    }
    assert_eq!(seen(r#"<img src="no.png">"#).broken, ["guide/a.html: `no.png` leads to nothing"]);
}
