//! Tags, and what may be one.

use serde_json::json;

use super::*;

fn tags(pairs: &[(&str, &str)]) -> Value {
    pairs.iter().map(|(key, value)| json!({ "TagKey": key, "TagValue": value })).collect()
}

fn numbered(range: std::ops::Range<usize>) -> Value {
    range.map(|number| json!({ "TagKey": format!("tag-{number:02}"), "TagValue": "x" })).collect()
}

fn listed(kms: &LocalKms, key_id: &str) -> Value {
    done(kms, "ListResourceTags", &json!({ "KeyId": key_id }))
}

fn refusal_of(kms: &LocalKms, operation: &str, key_id: &str, tags: &Value) -> (String, String) {
    refused(kms, operation, &json!({ "KeyId": key_id, "Tags": tags }))
}

#[test]
fn tags_are_put_changed_and_taken_away() {
    let kms = demo();
    let key_id = new_key(&kms, &json!({ "Tags": tags(&[("team", "orders")]) }));
    assert_eq!(listed(&kms, &key_id), json!({ "Tags": tags(&[("team", "orders")]), "Truncated": false }));
    let put = json!({ "KeyId": key_id, "Tags": tags(&[("team", "billing"), ("Stra\u{df}e", "")]) });
    assert_eq!(done(&kms, "TagResource", &put), Value::Null);
    assert_eq!(listed(&kms, &key_id)["Tags"], tags(&[("Stra\u{df}e", ""), ("team", "billing")]));
    let gone = json!({ "KeyId": arn(&key_id), "TagKeys": ["team", "never-there"] });
    assert_eq!(done(&kms, "UntagResource", &gone), Value::Null);
    assert_eq!(listed(&kms, &key_id)["Tags"], tags(&[("Stra\u{df}e", "")]));
}

#[test]
fn a_key_has_at_most_fifty_tags() {
    let kms = demo();
    let key_id = new_key(&kms, &json!({ "Tags": numbered(0..49) }));
    let put = |tags: Value| json!({ "KeyId": key_id, "Tags": tags });
    done(&kms, "TagResource", &put(numbered(49..50)));
    let too_many = said("TagException", "Too many tags");
    assert_eq!(refused(&kms, "TagResource", &put(numbered(50..51))), too_many);
    // Values of tags that are there can be changed.
    done(&kms, "TagResource", &put(numbered(0..50)));
    assert_eq!(listed(&kms, &key_id)["Tags"].as_array().unwrap().len(), 50);
    assert_eq!(refused(&kms, "CreateKey", &json!({ "Tags": numbered(0..51) })), too_many);
}

#[test]
fn what_may_not_be_a_tag_is_refused_in_awss_words() {
    let kms = demo();
    for name in ["aws:", "aws:team", "AWS:team", "aWs:x"] {
        let expected = said("TagException", "Tags beginning with aws: are reserved");
        for operation in ["TagResource", "CreateKey"] {
            assert_eq!(refusal_of(&kms, operation, ORDERS, &tags(&[(name, "x")])), expected, "{name}");
        }
        let body = json!({ "KeyId": ORDERS, "TagKeys": [name] });
        assert_eq!(refused(&kms, "UntagResource", &body), expected, "{name}");
    }
    for operation in ["TagResource", "CreateKey"] {
        assert_eq!(
            refusal_of(&kms, operation, ORDERS, &tags(&[("a", "1"), ("a", "2")])),
            said("TagException", "Duplicate tag keys")
        );
        assert_eq!(
            refusal_of(&kms, operation, ORDERS, &tags(&[("a", "1"), ("b", &"x".repeat(257))])),
            said(
                "ValidationException",
                &format!(
                    "1 validation error detected: Value '{}' at 'tags.2.member.tagValue' failed to satisfy \
                     constraint: Member must have length less than or equal to 256",
                    "x".repeat(257)
                )
            )
        );
        assert_eq!(
            refusal_of(&kms, operation, ORDERS, &tags(&[("", "x")])),
            said(
                "ValidationException",
                "1 validation error detected: Value '' at 'tags.1.member.tagKey' failed to satisfy \
                 constraint: Member must have length greater than or equal to 1"
            )
        );
        assert_eq!(
            refusal_of(&kms, operation, ORDERS, &json!([{ "TagKey": "a" }])),
            said(
                "ValidationException",
                "1 validation error detected: Value null at 'tags.1.member.tagValue' failed to satisfy \
                 constraint: Member must not be null"
            )
        );
        assert_eq!(
            refusal_of(&kms, operation, ORDERS, &tags(&[(&"x".repeat(129), "")])).0,
            "ValidationException"
        );
    }
    done(&kms, "TagResource", &json!({ "KeyId": ORDERS, "Tags": tags(&[("awsome", "x")]) }));
}

#[test]
fn fifty_tags_are_a_page_and_smaller_pages_bring_every_tag_once() {
    let kms = demo();
    let key_id = new_key(&kms, &json!({ "Tags": numbered(0..50) }));
    assert_eq!(listed(&kms, &key_id)["Truncated"], false);
    let mut marker = Value::Null;
    let mut all = Vec::new();
    loop {
        let body = json!({ "KeyId": key_id, "Limit": 7, "Marker": marker });
        let page = done(&kms, "ListResourceTags", &body);
        all.extend(page["Tags"].as_array().unwrap().clone());
        if page["Truncated"] == false {
            break;
        }
        marker = page["NextMarker"].clone();
    }
    assert_eq!(Value::Array(all), numbered(0..50));
}
