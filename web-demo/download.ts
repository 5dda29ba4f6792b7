import { fetchFromServer } from "./token.ts";

export interface Progress {
  readonly loaded: number;
  /** Bytes in all, if the server says; with compression it does not. */
  readonly total: number | undefined;
}

/**
 * Fetches a file as a whole and says how far it is.
 *
 * @throws Error with one line for a person: what failed, and the status or the network's reason
 */
export async function download(url: string, onProgress: (progress: Progress) => void = () => {}): Promise<ArrayBuffer> {
  let response: Response;
  try {
    response = await fetchFromServer(url);
  } catch (cause) {
    throw new Error(`Cannot download ${url}: the network must answer, got "${messageOf(cause)}"`, { cause });
  }
  if (response.status === 401) {
    throw new Error(`Cannot download ${url}: the server must take the token, and takes it no longer; reload the page`);
  }
  if (!response.ok) throw new Error(`Cannot download ${url}: the server must answer 200, got ${response.status}`);
  const total = response.headers.get("content-encoding") === null ? Number(response.headers.get("content-length")) : 0;
  const chunks: Uint8Array[] = [];
  let loaded = 0;
  const reader = response.body!.getReader();
  try {
    for (let part = await reader.read(); !part.done; part = await reader.read()) {
      chunks.push(part.value);
      loaded += part.value.length;
      onProgress({ loaded, total: total > 0 ? total : undefined });
    }
  } catch (cause) {
    throw new Error(`Cannot download ${url}: it must arrive whole, got "${messageOf(cause)}"`, { cause });
  }
  const whole = new Uint8Array(loaded);
  let at = 0;
  for (const chunk of chunks) {
    whole.set(chunk, at);
    at += chunk.length;
  }
  return whole.buffer;
}

/** Unpacks gzip, unless the server has already done so and said nothing of it. */
export async function gunzip(bytes: ArrayBuffer): Promise<Uint8Array> {
  const packed = new Uint8Array(bytes);
  if (packed[0] !== 0x1f || packed[1] !== 0x8b) return packed;
  const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream("gzip"));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
