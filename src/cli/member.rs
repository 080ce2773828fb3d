//! A key as a member of JSON: the form that `kmx list` and `kmx describe` share.

use serde_json::{Map, Value};

use crate::domain::key::KeyMetadata;

/// `KeyId`, `KeyArn`, `Aliases`, and all that DescribeKey told.
pub(super) fn member(
    key_id: &str,
    arn: &str,
    aliases: Value,
    metadata: Option<&KeyMetadata>,
) -> Map<String, Value> {
    let mut member = Map::new();
    member.insert("KeyId".to_owned(), key_id.into());
    member.insert("KeyArn".to_owned(), arn.into());
    member.insert("Aliases".to_owned(), aliases);
    if let Some(Ok(Value::Object(told))) = metadata.map(serde_json::to_value) {
        // The key's id and ARN are there already, under the list's names.
        let told = told
            .into_iter()
            .filter(|(name, value)| name != "KeyId" && !(name == "Arn" && value.as_str() == Some(arn)));
        member.extend(told);
    }
    member
}
