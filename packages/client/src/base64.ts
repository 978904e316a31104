const BASE64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/

export function base64OfBytes(bytes: Uint8Array): string {
  return btoa(String.fromCharCode(...bytes))
}

/** Undefined if it is empty or not base64: `atob` alone forgives spaces and missing padding. */
export function bytesOfBase64(text: string): Uint8Array<ArrayBuffer> | undefined {
  if (text === '' || !BASE64.test(text)) return undefined
  return Uint8Array.from(atob(text), (character) => character.charCodeAt(0))
}
