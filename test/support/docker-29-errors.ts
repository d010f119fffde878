// The exact output of Docker 29.9.3's client (`docker version --format …`, exit code 1) in each situation that can occur in
// a runner pod. The directories of the test machine are replaced by others.

interface ClientError {
  readonly situation: string;
  readonly text: string;
}

const during = (what: string) => `\nerror during connect: Get "https://127.0.0.1:2376/v1.56/version": ${what}`;
const unreachable = (host: string) => `\nCannot connect to the Docker daemon at ${host}. Is the docker daemon running?`;
const missing = (socket: string) =>
  `\nfailed to connect to the docker API at unix://${socket}; check if the path is correct and if the daemon is running: dial unix ${socket}: connect: no such file or directory`;

/** Errors that can mean that the daemon is not running yet, so waiting makes sense. */
export const notUp: readonly ClientError[] = [
  { situation: "there is no socket", text: missing("/tmp/e/none.sock") },
  { situation: "there is no directory for the socket", text: missing("/tmp/nofolder/none.sock") },
  { situation: "nothing listens on the socket", text: unreachable("unix:///tmp/e/dead.sock") },
  { situation: "there is a regular file at the path of the socket", text: unreachable("unix:///tmp/e/file") },
  { situation: "nothing listens on the TCP port", text: unreachable("tcp://127.0.0.1:2999") },
  { situation: "nothing listens on the TLS port", text: unreachable("tcp://127.0.0.1:2376") },
  {
    situation: "the certificates do not exist yet",
    text: "Failed to initialize: unable to resolve docker endpoint: open /tmp/e/empty/ca.pem: no such file or directory",
  },
  {
    situation: "buildx finds no socket",
    text: `ERROR: ${missing("/tmp/e/none.sock").trimStart()}`,
  },
];

/** Errors of a running daemon that rejects the client, so waiting does not help. */
export const up: readonly ClientError[] = [
  {
    situation: "the user has no permission for the socket",
    text: "\npermission denied while trying to connect to the docker API at unix:///var/run/docker.sock",
  },
  {
    situation: "the client is too old for the daemon (1.24)",
    text: "\nError response from daemon: client version 1.24 is too old. Minimum supported API version is 1.40, please upgrade your client to a newer version",
  },
  {
    situation: "the client is too old for the daemon (1.39)",
    text: "\nError response from daemon: client version 1.39 is too old. Minimum supported API version is 1.40, please upgrade your client to a newer version",
  },
  {
    situation: "the daemon is too old for the client",
    text: "\nError response from daemon: client version 1.56 is too new. Maximum supported API version is 1.39",
  },
  {
    situation: "a client without TLS, a daemon with it",
    text: "\nError response from daemon: Client sent an HTTP request to an HTTPS server.",
  },
  {
    situation: "a client with TLS, a daemon without it",
    text: during("http: server gave HTTP response to HTTPS client"),
  },
  {
    situation: "the daemon's certificate is from another CA",
    text: during("tls: failed to verify certificate: x509: certificate signed by unknown authority"),
  },
  {
    situation: "the daemon's certificate has another name",
    text: during("tls: failed to verify certificate: x509: certificate is valid for docker, not localhost"),
  },
  {
    // The same error for a client certificate from another CA, no certificate, and DOCKER_TLS without DOCKER_TLS_VERIFY.
    situation: "the client's certificate is missing, or from another CA",
    text: during("remote error: tls: certificate required"),
  },
];
