//! Prints the id of the access key that the SDK finds by itself.
//!
//! The provider to be tested is the only one that the environment leaves.

use aws_credential_types::provider::ProvideCredentials as _;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let settings = aws_config::load_defaults(aws_config::BehaviorVersion::latest()).await;
    let provider = settings.credentials_provider().ok_or("the SDK has no provider of credentials")?;
    println!("{}", provider.provide_credentials().await?.access_key_id());
    Ok(())
}
