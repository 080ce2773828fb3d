use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use proptest::collection::{btree_map, vec};
use proptest::prelude::*;

use super::*;

const KEY_ID: &str = "1234abcd-12ab-34cd-56ef-1234567890ab";
const MATERIAL_ID: &str = "2a130ad0c04780081329c46af03fa9c3f04a7c61ef2f0808da877bc1c6dd9f4b";
const BLOB: &str = "TE9DQUxLTVMBASQxMjM0YWJjZC0xMmFiLTM0Y2QtNTZlZi0xMjM0NTY3ODkwYWIqEwrQwEeACBMpxGrwP6nD8Ep8Ye\
                    8vCAjah3vBxt2fSwABAgMEBQYHCAkKCwwNDg9kZWZnaGlqa2xtbm+uuk15RUi3SW/yA1UbkLFYYLFYE//Lnq4o74Ct\
                    m25iJlh4LPVpmI8njuLdqNWcVZs=";

/// Bytes that count up from `first`.
fn counting<const N: usize>(first: u8) -> [u8; N] {
    std::array::from_fn(|index| first + u8::try_from(index).unwrap())
}

fn material() -> Material {
    Material::from_bytes(&counting::<32>(0)).unwrap()
}

fn freshness() -> Freshness {
    Freshness { salt: counting(0), nonce: counting(100) }
}

fn context(entries: &[(&str, &str)]) -> EncryptionContext {
    entries.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

fn sealed(context: &EncryptionContext, plaintext: &[u8]) -> Vec<u8> {
    seal(KEY_ID, &material(), context, plaintext, freshness()).unwrap()
}

fn opened(blob: &[u8], context: &EncryptionContext) -> Option<Vec<u8>> {
    Blob::parse(blob)?.open(&material(), context).map(|plaintext| plaintext.to_vec())
}

#[test]
fn the_vector_is_reproduced_to_the_byte() {
    let context = context(&[("b", "2"), ("a", "1")]);
    let blob = sealed(&context, &counting::<32>(200));
    assert_eq!(STANDARD.encode(&blob), BLOB);
    assert_eq!(blob.len(), 155);
}

#[test]
fn the_vector_opens() {
    let blob = STANDARD.decode(BLOB).unwrap();
    let parsed = Blob::parse(&blob).unwrap();
    assert_eq!(parsed.key_id, KEY_ID);
    assert_eq!(parsed.material_id.to_hex(), MATERIAL_ID);
    let context = context(&[("a", "1"), ("b", "2")]);
    assert_eq!(opened(&blob, &context).unwrap(), counting::<32>(200));
}

#[test]
fn the_material_id_is_that_of_the_vector() {
    assert_eq!(material().id(KEY_ID).to_hex(), MATERIAL_ID);
}

#[test]
fn the_authenticated_data_are_those_of_the_vector() {
    let blob = STANDARD.decode(BLOB).unwrap();
    let header = Blob::parse(&blob).unwrap().header;
    let aad = authenticated_data(header, &context(&[("a", "1"), ("b", "2")])).unwrap();
    assert_eq!(
        hex::encode(&aad),
        "0000006b4c4f43414c4b4d5301012431323334616263642d313261622d333463642d353665662d3132333435\
         363738393061622a130ad0c04780081329c46af03fa9c3f04a7c61ef2f0808da877bc1c6dd9f4b0001020304\
         05060708090a0b0c0d0e0f6465666768696a6b6c6d6e6f00000002000000016100000001310000000162\
         0000000132"
    );
}

#[test]
fn the_bytes_of_a_context_say_one_context_only() {
    let bytes = |entries| {
        let mut bytes = Vec::new();
        push_context(&mut bytes, &context(entries)).unwrap();
        hex::encode(&bytes)
    };
    assert_eq!(bytes(&[("a", "bc")]), "000000010000000161000000026263");
    assert_eq!(bytes(&[("ab", "c")]), "000000010000000261620000000163");
}

#[test]
fn another_material_does_not_open_a_blob() {
    let blob = sealed(&context(&[]), b"secret");
    let other = Material::from_bytes(&counting::<32>(1)).unwrap();
    assert!(Blob::parse(&blob).unwrap().open(&other, &context(&[])).is_none());
}

#[test]
fn every_prefix_of_a_blob_fails() {
    let context = context(&[("a", "1")]);
    let blob = sealed(&context, b"secret");
    for length in 0..blob.len() {
        assert_eq!(opened(&blob[..length], &context), None, "{length} bytes");
    }
}

#[test]
fn a_blob_with_a_byte_more_fails() {
    let mut blob = sealed(&context(&[]), b"secret");
    blob.push(0);
    assert_eq!(opened(&blob, &context(&[])), None);
}

#[test]
fn a_context_in_another_unicode_normalisation_or_case_is_another_context() {
    let blob = sealed(&context(&[("Stra\u{df}e", "\u{e9}")]), b"secret");
    for other in [
        context(&[("Stra\u{df}e", "e\u{301}")]),
        context(&[("stra\u{df}e", "\u{e9}")]),
        context(&[("Strasse", "\u{e9}")]),
    ] {
        assert_eq!(opened(&blob, &other), None, "{other:?}");
    }
}

#[test]
fn every_length_of_a_plaintext_opens_again() {
    let randomness = Randomness::deterministic(3);
    let material = Material::generate(&randomness).unwrap();
    for length in 1..=4096_usize {
        let mut plaintext = vec![0; length];
        randomness.fill(&mut plaintext).unwrap();
        let context: EncryptionContext =
            (0..length % 5).map(|entry| (format!("name {entry}"), "x".repeat(length % 97 + 1))).collect();
        let freshness = Freshness::draw(&randomness).unwrap();
        let blob = seal(KEY_ID, &material, &context, &plaintext, freshness).unwrap();
        assert_eq!(blob.len(), 123 + length);
        let opened = Blob::parse(&blob).unwrap().open(&material, &context).unwrap();
        assert_eq!(opened.as_slice(), plaintext.as_slice(), "{length} bytes");
    }
}

#[test]
fn every_single_bit_of_a_blob_counts() {
    let context = context(&[("a", "1"), ("b", "2")]);
    let blob = sealed(&context, &counting::<32>(200));
    for position in 0..blob.len() {
        for bit in 0..8 {
            let mut flipped = blob.clone();
            flipped[position] ^= 1 << bit;
            assert_eq!(opened(&flipped, &context), None, "bit {bit} of byte {position}");
        }
    }
}

/// Contexts that would be one another's, were their parts only put behind one another.
fn similar_context() -> impl Strategy<Value = EncryptionContext> {
    btree_map("[ab=,]{1,3}", "[ab=,]{1,3}", 0..4)
}

fn any_context() -> impl Strategy<Value = EncryptionContext> {
    btree_map(".{1,12}", ".{1,24}", 0..6)
}

fn some_context() -> impl Strategy<Value = EncryptionContext> {
    btree_map(".{1,12}", ".{1,24}", 1..6)
}

proptest! {
    #[test]
    fn what_is_sealed_opens_again(
        plaintext in vec(any::<u8>(), 1..=4096),
        context in any_context(),
        seed in any::<u64>(),
    ) {
        let randomness = Randomness::deterministic(seed);
        let material = Material::generate(&randomness).unwrap();
        let freshness = Freshness::draw(&randomness).unwrap();
        let blob = seal(KEY_ID, &material, &context, &plaintext, freshness).unwrap();
        let opened = Blob::parse(&blob).unwrap().open(&material, &context).unwrap();
        prop_assert_eq!(opened.as_slice(), plaintext.as_slice());
    }

    #[test]
    fn a_flipped_bit_anywhere_fails(
        plaintext in vec(any::<u8>(), 1..=64),
        context in any_context(),
        position in any::<prop::sample::Index>(),
        bit in 0..8_u32,
    ) {
        let mut blob = sealed(&context, &plaintext);
        let position = position.index(blob.len());
        blob[position] ^= 1 << bit;
        prop_assert_eq!(opened(&blob, &context), None);
    }

    #[test]
    fn a_changed_value_fails(context in some_context(), which in any::<prop::sample::Index>()) {
        let blob = sealed(&context, b"secret");
        let mut other = context.clone();
        let name = context.keys().nth(which.index(context.len())).unwrap();
        other.entry(name.clone()).and_modify(|value| value.push('x'));
        prop_assert_eq!(opened(&blob, &other), None);
    }

    #[test]
    fn a_changed_name_fails(context in some_context(), which in any::<prop::sample::Index>()) {
        let blob = sealed(&context, b"secret");
        let mut other = context.clone();
        let name = context.keys().nth(which.index(context.len())).unwrap();
        let value = other.remove(name).unwrap();
        other.insert(format!("{name}x"), value);
        prop_assume!(other != context);
        prop_assert_eq!(opened(&blob, &other), None);
    }

    #[test]
    fn names_and_values_that_change_places_fail(name in ".{1,8}", value in ".{1,8}") {
        prop_assume!(name != value);
        let blob = sealed(&EncryptionContext::from([(name.clone(), value.clone())]), b"secret");
        prop_assert_eq!(opened(&blob, &EncryptionContext::from([(value, name)])), None);
    }

    #[test]
    fn one_entry_for_two_fails(names in ("[a-m]{1,4}", "[n-z]{1,4}"), values in (".{1,4}", ".{1,4}")) {
        let two = EncryptionContext::from([
            (names.0.clone(), values.0.clone()),
            (names.1.clone(), values.1.clone()),
        ]);
        let blob = sealed(&two, b"secret");
        for one in [
            (names.0.clone(), format!("{}{}{}", values.0, names.1, values.1)),
            (format!("{}{}{}", names.0, values.0, names.1), values.1.clone()),
            (format!("{}{}", names.0, names.1), format!("{}{}", values.0, values.1)),
        ] {
            prop_assert_eq!(opened(&blob, &EncryptionContext::from([one])), None);
        }
    }

    #[test]
    fn a_context_opens_what_was_sealed_with_it_alone(one in similar_context(), other in similar_context()) {
        let blob = sealed(&one, b"secret");
        prop_assert_eq!(opened(&blob, &other).is_some(), one == other);
    }

    #[test]
    fn an_added_entry_fails(context in any_context(), name in ".{1,12}", value in ".{1,12}") {
        prop_assume!(!context.contains_key(&name));
        let blob = sealed(&context, b"secret");
        let mut other = context.clone();
        other.insert(name, value);
        prop_assert_eq!(opened(&blob, &other), None);
    }

    #[test]
    fn a_dropped_entry_fails(context in some_context(), which in any::<prop::sample::Index>()) {
        let blob = sealed(&context, b"secret");
        let mut other = context.clone();
        let name = context.keys().nth(which.index(context.len())).unwrap();
        other.remove(name);
        prop_assert_eq!(opened(&blob, &other), None);
    }

    #[test]
    fn an_entry_split_elsewhere_fails(name in ".{1,8}", middle in ".{1,4}", value in ".{1,8}") {
        let one = EncryptionContext::from([(name.clone(), format!("{middle}{value}"))]);
        let other = EncryptionContext::from([(format!("{name}{middle}"), value)]);
        let blob = sealed(&one, b"secret");
        prop_assert_eq!(opened(&blob, &other), None);
    }

    #[test]
    fn no_bytes_make_parsing_panic(bytes in vec(any::<u8>(), 0..300)) {
        let mut framed = STANDARD.decode(BLOB).unwrap()[..10].to_vec();
        framed.extend_from_slice(&bytes);
        let _ = Blob::parse(&bytes);
        let _ = opened(&framed, &EncryptionContext::new());
    }
}
