/** A reference to a blob. Source: the OCI image specification, descriptor.md. */
export interface Descriptor {
  readonly mediaType: string;
  /** `sha256:` and 64 hexadecimal digits. */
  readonly digest: string;
  /** In bytes. */
  readonly size: number;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly platform?: { readonly architecture: string; readonly os: string };
}

/** A manifest of an image, or an index of others: both are JSON. */
export interface ManifestOrIndex {
  readonly mediaType?: string;
  readonly config?: Descriptor;
  readonly layers?: readonly Descriptor[];
  readonly manifests?: readonly Descriptor[];
  readonly annotations?: Readonly<Record<string, string>>;
}

/** The kinds of blobs. Source: the OCI image specification, media-types.md. */
export const MEDIA = {
  index: 'application/vnd.oci.image.index.v1+json',
  manifest: 'application/vnd.oci.image.manifest.v1+json',
  config: 'application/vnd.oci.image.config.v1+json',
  layer: 'application/vnd.oci.image.layer.v1.tar',
  dockerManifest: 'application/vnd.docker.distribution.manifest.v2+json',
  dockerIndex: 'application/vnd.docker.distribution.manifest.list.v2+json',
  // Source: containerd's images.MediaTypeContainerd1Checkpoint and others.
  containerdImages: 'application/vnd.containerd.container.criu.checkpoint.criu.tar',
  containerdSpec: 'application/vnd.containerd.container.checkpoint.config.v1+proto',
} as const;

/** The annotation by which a layout or an index names an image. */
export const REFERENCE_NAME = 'org.opencontainers.image.ref.name';

/** The largest manifest or index, as registries limit them. */
export const MAX_MANIFEST = 4 << 20;

/** True for a blob that is a manifest of an image. */
export const isManifest = ({ mediaType }: Descriptor): boolean =>
  mediaType === MEDIA.manifest || mediaType === MEDIA.dockerManifest;

/** True for a blob that is an index. */
export const isIndex = ({ mediaType }: Descriptor): boolean =>
  mediaType === MEDIA.index || mediaType === MEDIA.dockerIndex;
