// Prints the id of the access key that the SDK finds by itself.
import { fromNodeProviderChain } from "@aws-sdk/credential-providers";

const credentials = await fromNodeProviderChain()();
console.log(credentials.accessKeyId);
