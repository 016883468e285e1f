//! Which addresses are dialled. What is asked there is tested with our own servers, through the binary.

use super::*;

const EC2: IpAddr = IpAddr::V4(Ipv4Addr::new(169, 254, 169, 254));

#[test]
fn only_loopback_and_what_the_caller_knows_is_a_neighbour() {
    for base in ["http://169.254.169.254", "http://127.0.0.1:8080", "http://[::1]:80", "http://localhost:1"] {
        assert!(Neighbour::at(base, &[EC2]).is_ok(), "{base}");
    }
    for base in [
        "http://169.254.170.2",
        "http://192.0.2.1",
        "http://metadata.example",
        "https://169.254.169.254",
        "http://user@127.0.0.1",
        "127.0.0.1",
        "",
    ] {
        assert!(Neighbour::at(base, &[EC2]).is_err(), "{base}");
    }
}

#[tokio::test]
async fn a_neighbour_that_is_not_there_is_an_error() {
    let (nobody, _held) = crate::tests::refusing();
    let neighbour = Neighbour::at(&format!("http://{nobody}"), &[]).unwrap();
    let header = (header::ACCEPT, HeaderValue::from_static("*/*"));
    let error = neighbour.ask(Method::GET, "/", header).await.unwrap_err();
    assert!(matches!(error, NeighbourError::Talk { .. }), "{error}");
}
