//! GenerateDataKeyWithoutPlaintext: the one cryptographic call.

use aws_sdk_kms::error::ProvideErrorMetadata as _;
use aws_sdk_kms::operation::RequestId as _;
use aws_sdk_kms::types;

use super::Clients;
use super::error::failure_of;
use crate::domain::data_key::{Answer, DataKey};
use crate::domain::failure::{Failure, FailureKind};
use crate::domain::request::{DataKeyRequest, DataKeySize, DataKeySpec, OPERATION};

/// Makes a data key. The request goes out as it is, the key named as the user named it.
///
/// A dry run that would have succeeded is an answer, not an error (KMS API: `DryRunOperationException`).
///
/// # Errors
/// The failure, with its way out.
pub async fn generate_data_key(clients: &Clients, request: &DataKeyRequest) -> Result<Answer, Failure> {
    let mut call = clients.interactive.generate_data_key_without_plaintext().key_id(&request.key_id);
    for (name, value) in request.encryption_context.iter() {
        call = call.encryption_context(name, value);
    }
    call = match request.size {
        DataKeySize::Spec(DataKeySpec::Aes256) => call.key_spec(types::DataKeySpec::Aes256),
        DataKeySize::Spec(DataKeySpec::Aes128) => call.key_spec(types::DataKeySpec::Aes128),
        DataKeySize::Bytes(count) => call.number_of_bytes(i32::from(count)),
    };
    for token in &request.grant_tokens {
        call = call.grant_tokens(token);
    }
    if request.dry_run {
        call = call.dry_run(true);
    }
    match call.send().await {
        Ok(answer) => {
            let blob = answer.ciphertext_blob().map(AsRef::as_ref).unwrap_or_default();
            if blob.is_empty() {
                let sentence = "the service answered without a CiphertextBlob";
                let mut failure = Failure::new(FailureKind::ServiceFault, sentence)
                    .hint("check that the endpoint is a KMS");
                failure.operation = Some(OPERATION);
                failure.request_id = answer.request_id().map(str::to_owned);
                return Err(failure);
            }
            Ok(Answer::DataKey(DataKey {
                key_id: answer.key_id().map(str::to_owned),
                key_material_id: answer.key_material_id().map(str::to_owned),
                request_id: answer.request_id().map(str::to_owned),
                ..DataKey::of_blob(blob)
            }))
        }
        Err(error) if error.code() == Some("DryRunOperationException") => {
            Ok(Answer::WouldSucceed { request_id: error.request_id().map(str::to_owned) })
        }
        Err(error) => Err(failure_of(OPERATION, Some(&request.key_id), &clients.place, &error)),
    }
}
