import software.amazon.awssdk.auth.credentials.DefaultCredentialsProvider;

/** Prints the id of the access key that the SDK finds by itself. */
public final class Main {
    private Main() {}

    public static void main(String[] arguments) {
        try (DefaultCredentialsProvider provider = DefaultCredentialsProvider.builder().build()) {
            System.out.println(provider.resolveCredentials().accessKeyId());
        }
    }
}
