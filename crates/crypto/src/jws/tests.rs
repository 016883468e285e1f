//! The vectors of the standards, and what is refused.

use proptest::prelude::*;

use super::*;
use crate::{from_base64url, to_hex};

fn raw(text: &str) -> Vec<u8> {
    from_base64url(text).unwrap()
}

const PAYLOAD: &str =
    "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ";

/// RFC 7515, appendix A.2.
const MODULUS: &str = "ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-4qPCJrcS2mJPMEzP1Pt0Bm4d4QlL-yRT-SFd2lZS-pCgNMsD1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7OMg0LOL-bSf63kpaSHSXndS5z5rexMdbBYUsLA9e-KXBdQOS-UTo7WTBEMa2R2CapHg665xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9kG4LT6_I5IhlJH7aGhyxXFvUK-DWNmoudF8NAco9_h9iaGNj8q2ethFkMLs91kzk2PAcDTW9gb54h4FRWyuXpoQ";
const RS256: &str = "cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7AAuHIm4Bh-0Qc_lF5YKt_O8W2Fp5jujGbds9uJdbF9CUAr7t1dnZcAcQjbKBYNX4BAynRFdiuB--f_nZLgrnbyTyWzO75vRK5h6xBArLIARNPvkSjtQBMHlb1L07Qe7K0GarZRmB_eSN9383LcOLn6_dO--xi12jzDwusC-eOkHWEsqtFZESc6BfI7noOPqvhJ1phCnvWh6IeYI2w9QOYEUipUTI8np6LbgGY9Fs98rqVt5AXLIhWkWywlVmtVrBp0igcN_IoypGlUPQGe77Rw";

/// RFC 7515, appendix A.3.
const X: &str = "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU";
const Y: &str = "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0";
const ES256: &str = "DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q";

/// A certificate, and a public key of another pair; both of P-256.
const CERTIFICATE: &str = "-----BEGIN CERTIFICATE-----\nMIIBcDCCARWgAwIBAgIUUfRjr4ZLkJUFwzuij7ds4Ej0pkAwCgYIKoZIzj0EAwIw\nDDEKMAgGA1UEAwwBeDAgFw0yNjExMjkxMzE0NTVaGA8yMTI2MTEwNTEzMTQ1NVow\nDDEKMAgGA1UEAwwBeDBZMBMGByqGSM49AgEGCCqGSM49AwEHA0IABM57sqER9SST\nm11w5/yXp6LGjmCx5bHeBosLaf3DQcYrVtIXfpalRctZMwWELmlEZEpxxt6JwWKY\n8IINFhOCWe6jUzBRMB0GA1UdDgQWBBQ6P7MDgnldVwpzC06svkv9mqcAmDAfBgNV\nHSMEGDAWgBQ6P7MDgnldVwpzC06svkv9mqcAmDAPBgNVHRMBAf8EBTADAQH/MAoG\nCCqGSM49BAMCA0kAMEYCIQCilLiC20/OasE0lV9fzydE09MleDjQx3VIj3XOflbW\nPAIhAJhufIgCvZXgcY+5wYqjAPtF+1srdXxCDuZWiGkF4gBB\n-----END CERTIFICATE-----\n";
const PUBLIC: &str = "-----BEGIN PUBLIC KEY-----\nMFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEznuyoRH1JJObXXDn/JenosaOYLHl\nsd4Giwtp/cNBxitW0hd+lqVFy1kzBYQuaURkSnHG3onBYpjwgg0WE4JZ7g==\n-----END PUBLIC KEY-----\n";
/// One key of RSA in both of its forms.
const RSA: &str = "-----BEGIN PUBLIC KEY-----\nMIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEAlbe/jgKosNwUWv1jy06N\n8RWDhtekXUQfyjOc8MvgLc4ohSHFBhQ6XwJPp1XBd2KvdKETZE08BMKegSXzeaHO\nhNsq/YHb747AHZOArywTzuQbGo6yk285R+Lcltw4yfiRzMd+9TcbZT69BVLDO6/p\ntfQiHYOh9KViC/mhtyBojKxP99s5Pwkqes1UqUYyDgPCW+L+RynwECDoKRHaq25t\nlLF/lfcbChs8YSMeRG2sj27MpMMQqqlWuge77IkaPTzUqoWGgGjBOFa4Ozp9wZnc\nV1NC23J30eWrr+MYV+aLi1jEUU/AAuu3MXGdR3pyD+Gd0SdfsBullY5t176pm8as\n+wIDAQAB\n-----END PUBLIC KEY-----\n";
const RSA_PLAIN: &str = "-----BEGIN RSA PUBLIC KEY-----\nMIIBCgKCAQEAlbe/jgKosNwUWv1jy06N8RWDhtekXUQfyjOc8MvgLc4ohSHFBhQ6\nXwJPp1XBd2KvdKETZE08BMKegSXzeaHOhNsq/YHb747AHZOArywTzuQbGo6yk285\nR+Lcltw4yfiRzMd+9TcbZT69BVLDO6/ptfQiHYOh9KViC/mhtyBojKxP99s5Pwkq\nes1UqUYyDgPCW+L+RynwECDoKRHaq25tlLF/lfcbChs8YSMeRG2sj27MpMMQqqlW\nuge77IkaPTzUqoWGgGjBOFa4Ozp9wZncV1NC23J30eWrr+MYV+aLi1jEUU/AAuu3\nMXGdR3pyD+Gd0SdfsBullY5t176pm8as+wIDAQAB\n-----END RSA PUBLIC KEY-----\n";

#[test]
fn the_hmac_of_rfc_7515_fits() {
    let key = raw("AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow");
    let header = b"eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9";
    let tag = raw("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk");
    let parts: [&[u8]; 3] = [header, b".", PAYLOAD.as_bytes()];
    assert!(hmac_signed(Hash::Sha256, &key, &parts, &tag).is_ok());
    let short = tag.split_last().unwrap().1;
    assert_eq!(hmac_signed(Hash::Sha256, &key, &parts, short).unwrap_err(), Error::Forged);
    assert_eq!(hmac_signed(Hash::Sha256, &key, &parts, b"").unwrap_err(), Error::Forged);
    assert_eq!(hmac_signed(Hash::Sha512, &key, &parts, &tag).unwrap_err(), Error::Forged);
}

#[test]
fn the_rsa_signature_of_rfc_7515_fits() {
    let key = VerifyingKey::from_rsa(Algorithm::RS256, &raw(MODULUS), &[1, 0, 1]).unwrap();
    let message = format!("eyJhbGciOiJSUzI1NiJ9.{PAYLOAD}");
    assert!(key.verify(message.as_bytes(), &raw(RS256)).is_ok());
    assert!(key.verify(message.as_bytes(), &raw(ES256)).is_err());
    for other in [Algorithm::RS384, Algorithm::RS512, Algorithm::PS256] {
        let key = VerifyingKey::from_rsa(other, &raw(MODULUS), &[1, 0, 1]).unwrap();
        assert!(key.verify(message.as_bytes(), &raw(RS256)).is_err(), "{other:?}");
    }
}

#[test]
fn the_ecdsa_signature_of_rfc_7515_fits() {
    let key = VerifyingKey::from_point(Algorithm::ES256, &raw(X), &raw(Y)).unwrap();
    let message = format!("eyJhbGciOiJFUzI1NiJ9.{PAYLOAD}");
    assert!(key.verify(message.as_bytes(), &raw(ES256)).is_ok());
    assert!(key.verify(b"another", &raw(ES256)).is_err());
    // Zeros in the place of both numbers fit everything where nobody looks at them.
    assert!(key.verify(message.as_bytes(), &[0; 64]).is_err());
}

#[test]
fn the_signature_of_rfc_8037_fits() {
    let key = VerifyingKey::from_ed25519(&raw("11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo")).unwrap();
    let signature =
        raw("hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg");
    assert!(key.verify(b"eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc", &signature).is_ok());
    assert!(key.verify(b"eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmd", &signature).is_err());
    let pem = "-----BEGIN PUBLIC KEY-----\nMCowBQYDK2VwAyEA11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=\n-----END PUBLIC KEY-----\n";
    let key = VerifyingKey::from_pem(Algorithm::EdDSA, pem.as_bytes()).unwrap();
    assert!(key.verify(b"eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc", &signature).is_ok());
    assert!(Algorithm::ALL.iter().all(|other| {
        *other == Algorithm::EdDSA || VerifyingKey::from_pem(*other, pem.as_bytes()).is_err()
    }));
}

#[test]
fn keys_in_pem_are_for_their_algorithm_only() {
    for pem in [CERTIFICATE, PUBLIC] {
        assert!(VerifyingKey::from_pem(Algorithm::ES256, pem.as_bytes()).is_ok(), "{pem}");
        for other in [Algorithm::ES384, Algorithm::RS256, Algorithm::EdDSA] {
            assert!(VerifyingKey::from_pem(other, pem.as_bytes()).is_err(), "{other:?} {pem}");
        }
    }
    for pem in [RSA, RSA_PLAIN] {
        assert!(VerifyingKey::from_pem(Algorithm::PS512, pem.as_bytes()).is_ok(), "{pem}");
        assert!(VerifyingKey::from_pem(Algorithm::ES256, pem.as_bytes()).is_err(), "{pem}");
    }
    for wrong in ["", "CANARY", "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n"] {
        assert!(VerifyingKey::from_pem(Algorithm::ES256, wrong.as_bytes()).is_err(), "{wrong}");
    }
}

#[test]
fn keys_of_the_wrong_form_are_refused() {
    assert!(VerifyingKey::from_rsa(Algorithm::ES256, &raw(MODULUS), &[1, 0, 1]).is_err());
    // 1024 bits.
    assert!(VerifyingKey::from_rsa(Algorithm::RS256, &[0xc1; 128], &[1, 0, 1]).is_err());
    assert!(VerifyingKey::from_rsa(Algorithm::RS256, &[], &[]).is_err());
    assert!(VerifyingKey::from_point(Algorithm::ES256, &raw(X), &raw(X)).is_err(), "not on the curve");
    assert!(VerifyingKey::from_point(Algorithm::ES384, &raw(X), &raw(Y)).is_err());
    assert!(VerifyingKey::from_point(Algorithm::EdDSA, &raw(X), &raw(Y)).is_err());
    assert!(VerifyingKey::from_ed25519(&[0; 31]).is_err());
}

#[test]
fn what_everybody_knows_is_no_secret_of_an_hmac() {
    let der = {
        let (_, der) = block(CERTIFICATE, |label| label == "CERTIFICATE").unwrap();
        der.to_vec()
    };
    let jwk = format!("{{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"{X}\",\"y\":\"{Y}\"}}");
    let behind = format!("issued for x\n{PUBLIC}");
    let known: [&[u8]; 8] = [
        CERTIFICATE.as_bytes(),
        PUBLIC.as_bytes(),
        RSA.as_bytes(),
        RSA_PLAIN.as_bytes(),
        behind.as_bytes(),
        jwk.as_bytes(),
        &der,
        b"ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAICANARY",
    ];
    for public in known {
        let tag = hmac::sign(&hmac::Key::new(HMAC_SHA256, public), b"x");
        let refused = hmac_signed(Hash::Sha256, public, &[b"x"], tag.as_ref()).unwrap_err();
        assert_eq!(refused, Error::Malformed("the secret of an HMAC"), "{}", to_hex(public));
    }
    let empty = hmac::sign(&hmac::Key::new(HMAC_SHA256, b""), b"x");
    assert!(hmac_signed(Hash::Sha256, b"", &[b"x"], empty.as_ref()).is_err());
    assert!(!is_public(b"whsec_CANARY0123456789"));
}

#[test]
fn senders_with_old_hashes_are_heard() {
    // RFC 2202, section 3, case 2.
    let tag = crate::from_hex("effcdf6ae5eb2fa2d27416d5f184df9c259a7c79").unwrap();
    let parts: [&[u8]; 2] = [b"what do ya want ", b"for nothing?"];
    assert!(hmac_signed(Hash::LegacySha1, b"Jefe", &parts, &tag).is_ok());
}

proptest! {
    #[test]
    fn no_byte_of_a_signature_can_be_changed(at in 0_usize..64, with in 1_u8..=255) {
        let key = VerifyingKey::from_point(Algorithm::ES256, &raw(X), &raw(Y)).unwrap();
        let mut signature = raw(ES256);
        signature[at] ^= with;
        let message = format!("eyJhbGciOiJFUzI1NiJ9.{PAYLOAD}");
        prop_assert!(key.verify(message.as_bytes(), &signature).is_err());
    }

    #[test]
    fn nothing_that_is_read_as_a_key_breaks_the_reader(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        for algorithm in Algorithm::ALL {
            let _ = VerifyingKey::from_pem(algorithm, &bytes);
            let _ = VerifyingKey::from_rsa(algorithm, &bytes, &[3]);
        }
        let _ = is_public(&bytes);
    }
}
