use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_ASN1, ED25519, UnparsedPublicKey};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::super::hex;
use super::*;

/// The specs and, in hexadecimal, the `AlgorithmIdentifier` that both documents name them by. RFC
/// 3279, 5480 and 8410; SEC 2 for secp256k1.
const SPECS: [(KeySpec, &str); 8] = [
    (KeySpec::Rsa2048, RSA_ENCRYPTION),
    (KeySpec::Rsa3072, RSA_ENCRYPTION),
    (KeySpec::Rsa4096, RSA_ENCRYPTION),
    (KeySpec::EccNistP256, "301306072a8648ce3d020106082a8648ce3d030107"),
    (KeySpec::EccNistP384, "301006072a8648ce3d020106052b81040022"),
    (KeySpec::EccNistP521, "301006072a8648ce3d020106052b81040023"),
    (KeySpec::EccSecgP256K1, "301006072a8648ce3d020106052b8104000a"),
    (KeySpec::EccNistEdwards25519, "300506032b6570"),
];
const RSA_ENCRYPTION: &str = "300d06092a864886f70d0101010500";
const VERSION_1: &str = "020100";

/// An `RSA_2048` key that openssl made for these tests and that protects nothing: PKCS#8.
const PRIVATE: &str = "\
    MIIEvgIBADANBgkqhkiG9w0BAQEFAASCBKgwggSkAgEAAoIBAQDU44acTE1DJ8fCprHlrZPjvIiXnqomTzWop2QSKGuTm0FFxclU\
    LdSoQe0GSJEXwEyt92mLZAXG1YDxZ46eZUG3i7gnbjgJ7IIl+kBM21zlUVSpml3CBecV3XmAJk9BXPwnr9FuFuIPWlkJjbbSQ1XO\
    1FKtcOYJhPYENqWhHw/T5QROEz2HtZlxO7f8B5svqPsF/Ccb2Heb6wuT5zuPRCBJWcEG9nX9WVN0NuefKUXPZYw/nwRWCtH8erLg\
    KYJm+Ic317QgAPtjTaz63aptQ3cWMmfHoWUMtk/Uen+ip8m1+LNzd/NfkbU8HUYMXO5YHvFYPjw3t/iQeIzd/+Rkt8oPAgMBAAEC\
    ggEAGSksT1a5SaGZph4mJ7tvH4W4gxWj4yk4x05usQgJRtsc83kf2rdxSyhCMkbrVxT0OxoNuwVppV611vzin0KKaii07XwaWsSS\
    0ULqzJVJ578dXs+OxeVastEykKchINwzinaTgwu9+2CLO2oosbXMSMims4xaCRqnf5ynJgwncRHd0lOnO1AVX0NEfNzq9ZNBTUgc\
    RJnD37d3Tp6uK7F4cwRukbJcyBv9pQgk7snIhQ9tztivN9wbui2FeZWRjQZBllbiXwGUSseuETr9iw827JO1u5BhiWy0fDFBSe8J\
    YWLESiavFuJ6rsL0YrPODMKI4v4N24nIo70ZQ386CQWzmQKBgQD80RlOBcEr2T2s6o2eR/jPNZdntPRwh1N9i++D3S/BO8I8177i\
    eiCf+TD+XyGYP/os96ALdxsNJ8y0CFkjDG3bjI7FcnIPZ+Ve3IsSUtW31HoRO/k7TRDu6sgwyDtrN60wRpMbyAznRQGATsm4G84i\
    8ZXzV8THJ6uBbdcBmF3nswKBgQDXkbo9RvLlacnPLQ97dki0UWB/vqZ+WDmArQBcm0DdKJkmRaOGsgG+7/l/Cc2Y/zAM67O5ePms\
    +xC9k0mN1iLCyPAXKzJhgnb2cuXGzWJpRs+bSDJSplqtBWbQtA06SfAPi2iscR33B0KfzHELq2yGhS/rOPTZxkyTje7oinTmNQKB\
    gA1upqOIlrzXq/k19RRFyqhntoWiDaK07fCrsKwW4mSn4igNZmzuBDG7saiyMTy/mXEuLuitCVjnlm6yStob3PJfQ26mJ/09jeg+\
    W307vXMo7NthjlpiO9YVz1EYMl/980uvVD2ToWvgNLY2eW04vPkKUOc+8IuMRgZ4aYYCLGsVAoGBAKLV6Mna6yYSiCggUJ6hVgAn\
    rG4ytI+h0yX5CNnrSM8GmNFJL2JS2nDB00R8Qjr9IO3RqfxDfs6FBDs/pAMpKy7aHEpUDgWMSJKXbiyC/oCpxa71lVXLZZlnCChE\
    qe1K5rTHSPVhqRHuAQy2oPoArsTanLzhVEuguD2JrFsqI221AoGBAPuThx8p5SHyrR2sBVz8Qh+MSQBlG7bx9nl6wGiW+1AygR4j\
    wtIwsJBPnGQUaMBUYZb83HdzowYpt9QD7mvIkJRJGNe08CLdGG1tnRZ/vgxPQJ50KZGyRH4V1iWUrC9195jLL9MG/k47/7ImTwj5\
    KNtHwVbfwFiO/OyomN7L7fVH";

/// Its public key, as openssl writes it.
const PUBLIC: &str = "\
    MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEA1OOGnExNQyfHwqax5a2T47yIl56qJk81qKdkEihrk5tBRcXJVC3UqEHt\
    BkiRF8BMrfdpi2QFxtWA8WeOnmVBt4u4J244CeyCJfpATNtc5VFUqZpdwgXnFd15gCZPQVz8J6/RbhbiD1pZCY220kNVztRSrXDm\
    CYT2BDaloR8P0+UEThM9h7WZcTu3/AebL6j7BfwnG9h3m+sLk+c7j0QgSVnBBvZ1/VlTdDbnnylFz2WMP58EVgrR/Hqy4CmCZviH\
    N9e0IAD7Y02s+t2qbUN3FjJnx6FlDLZP1Hp/oqfJtfizc3fzX5G1PB1GDFzuWB7xWD48N7f4kHiM3f/kZLfKDwIDAQAB";

/// What the two ciphertexts hold that openssl made with that public key, OAEP and MGF1 with one hash.
const PLAINTEXT: &[u8] = b"a plaintext of the tests";
const BY_SHA_1: &str = "\
    SSZPHZR0epAbF+TAaM9xWSde9O2ZAD4oej0iASrLNi2JSYcxXRbtEesVYa/OnPDUQWzt8R9z7CyGEp19a1yF5i1m4fWF64R/EPsg\
    mnOpu9lGEJYlujila3CnzoY3V9gYmwf4pwlvTUC9UyTP7Y6SJsu/7Ut1aGJHH6cBwLEyd0U2Jia/g6R1J4GiV6BPJaLGSdrs5wqj\
    qGXeXlVnLnXyba6uZ6kNYK8wQ53ozFJEUefwjbzm7s1HCeVVWkSAmfAsUUJySrdedITNMdBthnSDnff0y2AOMsWxWjam+wkNrir5\
    y0BNN/vGTYkgpdqcWUX4hGqgZnJUl+kl7z+o/jzMsA==";
const BY_SHA_256: &str = "\
    u5nxIj20gu+zJxRQj8cxzdJMdOGz7hUbnre2Pfns0DXOzmQFNUIn5wWuU5Yk+1kt4VXwN7wZKQLxqCSrZUWhyn3OxIJNyATwGU/5\
    2RhXUcO35TGwNz26mE5uZSLcgk7/J33EztCLoYvH2QFITrx4K2K8cSLQaSfkKx3oZRxZDop8/qiGYAYv3Is6Kvt4Wa3fgruazO26\
    eKyprRIvWBD5LU/W4Sz+TpSdBZPTvMoSa0R8nrVANxKpnH0znM7dBI8ZisKz4D7Fxii4OIIJaArewHvSliKGIRRRHbibQ0m4yaDK\
    2NUU9FZsxIQsuGNVIITJy05QmooKykK5aGBbLgMlwA==";

fn bytes(base64: &str) -> Vec<u8> {
    STANDARD.decode(base64).unwrap()
}

/// What a document's outer SEQUENCE holds, in hexadecimal; its length must be the document's.
fn inside(der: &[u8]) -> String {
    assert_eq!(der[0], 0x30);
    let long = if der[1] < 0x80 { 0 } else { usize::from(der[1] & 0x7f) };
    let (length, inside) = der[1..].split_at(1 + long);
    let length = if long == 0 { length } else { &length[1..] };
    assert_eq!(length.iter().fold(0, |sum, byte| sum << 8 | usize::from(*byte)), inside.len());
    hex::encode(inside)
}

/// Makes a pair and looks at its documents.
fn made(spec: KeySpec) -> KeyPair {
    let (_, identifier) = SPECS.into_iter().find(|(known, _)| *known == spec).unwrap();
    let pair = generate(spec).unwrap();
    assert!(inside(&pair.private).starts_with(&format!("{VERSION_1}{identifier}")), "{spec:?}");
    assert!(inside(&pair.public).starts_with(identifier), "{spec:?}");
    assert!(public_of(spec, &pair.private).unwrap() == pair.public, "{spec:?}");
    pair
}

#[test]
fn pairs_on_curves_name_their_curve_and_are_read_again_as_that_curve_only() {
    for (spec, _) in &SPECS[3..] {
        let pair = made(*spec);
        assert_ne!(generate(*spec).unwrap().public, pair.public, "{spec:?}");
        for (other, _) in SPECS {
            assert_eq!(public_of(other, &pair.private).is_some(), other == *spec, "{spec:?} as {other:?}");
        }
    }
}

// One size only: larger keys take too long to make in each run of the tests.
#[test]
fn an_rsa_pair_is_read_again_and_opens_what_its_public_key_encrypted() {
    let pair = made(KeySpec::Rsa2048);
    assert!(public_of(KeySpec::Rsa3072, &pair.private).is_none());
    let ciphertext = encrypt(&pair.public, Oaep::Sha256, PLAINTEXT).unwrap();
    assert_eq!(decrypt(&pair.private, Oaep::Sha256, &ciphertext).unwrap().as_slice(), PLAINTEXT);
    assert!(decrypt(&bytes(PRIVATE), Oaep::Sha256, &ciphertext).is_none());
}

#[test]
fn the_halves_of_a_pair_sign_and_verify() {
    let pair = made(KeySpec::EccNistP256);
    let signer = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, &pair.private).unwrap();
    let signature = signer.sign(&SystemRandom::new(), PLAINTEXT).unwrap();
    let verifier = UnparsedPublicKey::new(&ECDSA_P256_SHA256_ASN1, &pair.public);
    assert!(verifier.verify(PLAINTEXT, signature.as_ref()).is_ok());

    let pair = made(KeySpec::EccNistEdwards25519);
    let signature = Ed25519KeyPair::from_pkcs8(&pair.private).unwrap().sign(PLAINTEXT);
    let verifier = UnparsedPublicKey::new(&ED25519, &pair.public);
    assert!(verifier.verify(PLAINTEXT, signature.as_ref()).is_ok());
}

#[test]
fn other_specs_are_not_supported() {
    for spec in
        [KeySpec::SymmetricDefault, KeySpec::Hmac256, KeySpec::Sm2, KeySpec::MlDsa44, KeySpec::MlKem768]
    {
        assert!(!supports(spec), "{spec:?}");
        assert!(generate(spec).is_none(), "{spec:?}");
        assert!(public_of(spec, &bytes(PRIVATE)).is_none(), "{spec:?}");
        assert_eq!(most_plaintext(spec, Oaep::Sha1), None, "{spec:?}");
    }
    assert!(SPECS.iter().all(|(spec, _)| supports(*spec)));
}

#[test]
fn what_openssl_made_is_read_and_opened() {
    assert_eq!(public_of(KeySpec::Rsa2048, &bytes(PRIVATE)), Some(bytes(PUBLIC)));
    for (word, ciphertext) in [("RSAES_OAEP_SHA_1", BY_SHA_1), ("RSAES_OAEP_SHA_256", BY_SHA_256)] {
        let oaep = Oaep::from_word(word).unwrap();
        let opened = decrypt(&bytes(PRIVATE), oaep, &bytes(ciphertext)).unwrap();
        assert_eq!(opened.as_slice(), PLAINTEXT, "{word}");
    }
    assert_eq!(Oaep::from_word("SYMMETRIC_DEFAULT"), None);
}

#[test]
fn an_rsa_key_encrypts_up_to_its_limit_and_anew_each_time() {
    for oaep in [Oaep::Sha1, Oaep::Sha256] {
        let most = most_plaintext(KeySpec::Rsa2048, oaep).unwrap();
        for length in [1, most] {
            let plaintext = vec![7; length];
            let ciphertext = encrypt(&bytes(PUBLIC), oaep, &plaintext).unwrap();
            assert_eq!(ciphertext.len(), 256);
            assert_ne!(encrypt(&bytes(PUBLIC), oaep, &plaintext).unwrap(), ciphertext);
            let opened = decrypt(&bytes(PRIVATE), oaep, &ciphertext).unwrap();
            assert!(*opened == plaintext, "{oaep:?}, {length} bytes");
        }
        assert!(encrypt(&bytes(PUBLIC), oaep, &vec![7; most + 1]).is_none(), "{oaep:?}");
    }
}

#[test]
fn the_limits_are_those_that_kms_documents() {
    let limits = |spec| [Oaep::Sha1, Oaep::Sha256].map(|oaep| most_plaintext(spec, oaep));
    assert_eq!(limits(KeySpec::Rsa2048), [Some(214), Some(190)]);
    assert_eq!(limits(KeySpec::Rsa3072), [Some(342), Some(318)]);
    assert_eq!(limits(KeySpec::Rsa4096), [Some(470), Some(446)]);
    assert_eq!(limits(KeySpec::EccNistP256), [None, None]);
    assert_eq!(limits(KeySpec::EccNistEdwards25519), [None, None]);
}

#[test]
fn what_is_no_ciphertext_or_no_key_is_refused() {
    let (private, ciphertext) = (bytes(PRIVATE), bytes(BY_SHA_256));
    assert!(decrypt(&private, Oaep::Sha1, &ciphertext).is_none());
    for wrong in [&ciphertext[1..], &[0; 256][..], &[]] {
        assert!(decrypt(&private, Oaep::Sha256, wrong).is_none());
    }
    let mut changed = ciphertext.clone();
    changed[255] ^= 1;
    assert!(decrypt(&private, Oaep::Sha256, &changed).is_none());

    assert!(decrypt(&bytes(PUBLIC), Oaep::Sha256, &ciphertext).is_none());
    assert!(encrypt(&private, Oaep::Sha256, PLAINTEXT).is_none());
    let curve = generate(KeySpec::EccNistP256).unwrap();
    assert!(encrypt(&curve.public, Oaep::Sha256, PLAINTEXT).is_none());
    assert!(decrypt(&curve.private, Oaep::Sha256, &ciphertext).is_none());
    for (spec, _) in SPECS {
        assert!(public_of(spec, b"no key").is_none(), "{spec:?}");
    }
}
