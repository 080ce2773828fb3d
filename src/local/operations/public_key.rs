//! `GetPublicKey`, and the private keys behind it, which are made when they are first needed.

use zeroize::Zeroizing;

use crate::local::answer::Answer;
use crate::local::asymmetric;
use crate::local::error::KmsError;
use crate::local::key::algorithms;
use crate::local::shape::{Input, Presence};
use crate::local::state::Deed;
use crate::local::store::View as _;

use super::{Call, Key, Members};

/// KMS API: `GetPublicKey`. By any identifier; the key is DER, X.509 `SubjectPublicKeyInfo`. `KeyId`
/// in the answer is the key ARN.
pub(super) fn get_public_key(call: &Call<'_>, mut input: Input) -> Result<Answer, KmsError> {
    let key_id = input.key_id(Presence::Required)?;
    let grant_tokens = input.grant_tokens()?;
    input.finish()?;

    let key = call.key(&call.reader()?, &key_id.unwrap_or_default())?;
    call.may_use(&key, &grant_tokens)?;
    key.lets(Deed::GetPublicKey)?;
    let spec = key.record.spec;
    if spec.is_symmetric_encryption() || spec.is_hmac() {
        return Err(KmsError::unsupported_by_key());
    }
    let private_key = call.private_key(&key)?;
    let public_key = asymmetric::public_of(spec, &private_key).ok_or_else(KmsError::internal)?;
    let (list, names) = algorithms(spec, key.record.usage).ok_or_else(KmsError::internal)?;
    let members = Members::default()
        .put("KeyId", key.arn)
        .blob("PublicKey", &public_key)
        .put("CustomerMasterKeySpec", spec.word())
        .put("KeySpec", spec.word())
        .put("KeyUsage", key.record.usage.word())
        .put(list, names);
    Ok(members.answer())
}

impl Call<'_> {
    /// The private key of an asymmetric key, PKCS #8. It is made at first, for every region in which
    /// the key lives. No view may be held.
    pub(super) fn private_key(&self, key: &Key) -> Result<Zeroizing<Vec<u8>>, KmsError> {
        if let Some(found) = self.reader()?.private_key(self.region(), &key.id)? {
            return Ok(found);
        }
        let spec = key.record.spec;
        if !asymmetric::supports(spec) {
            return Err(KmsError::unsupported(format!(
                "The local KMS has no key material of the key spec {}.",
                spec.word()
            )));
        }
        // Long before the transaction, so that nobody waits for it who need not.
        let made = asymmetric::generate(spec).ok_or_else(KmsError::internal)?.private;
        self.change(|writer| {
            if let Some(found) = writer.private_key(self.region(), &key.id)? {
                return Ok(found);
            }
            // It may be gone by now.
            if writer.key(self.region(), &key.id)?.is_none() {
                return Err(self.no_such_key(&key.id));
            }
            for region in key.record.regions(self.region()) {
                if writer.key(region, &key.id)?.is_some() {
                    writer.put_private_key(region, &key.id, &made)?;
                }
            }
            Ok(made)
        })
    }
}
