// The registry settings that are needed to generate the files for dockerd, BuildKit and Dagger.

export interface Mirror {
  readonly url: string;
  readonly insecure: boolean;
  readonly privateCA: boolean;
}

export interface Registry {
  readonly insecure: boolean;
  readonly privateCA: boolean;
  readonly mirrors: readonly Mirror[];
}

/** Keyed by registry host, such as `ghcr.io`. */
export type Registries = Readonly<Record<string, Registry>>;

interface KeyReference {
  readonly name: string;
  readonly key: string;
}

/** The source of the private certificates. Exactly one of the three fields is set. */
export interface PrivateCA {
  readonly pem?: string | undefined;
  readonly configMap?: KeyReference | undefined;
  readonly secret?: KeyReference | undefined;
}

export interface RegistrySettings {
  readonly registries: Registries;
  readonly privateCA?: PrivateCA | undefined;
}
