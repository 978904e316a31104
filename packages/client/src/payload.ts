/** Bytes as they are, text as UTF-8, and anything else as JSON. */
export type Payload = string | Uint8Array | ArrayBuffer | number | boolean | null | object
