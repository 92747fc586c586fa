/** Parts of a log as bytes: what the route gives, without what an offset in the middle of a character, or in a hole
 * that was cut out of a large log, does to its edges. */
import { ApiError, errorOf } from '~/api/client';

export const PIECE = 1 << 20; // the route gives no more at once
export const FIRST = 256 * 1024;

/** `from`: where its text begins. `next`: the offset after it. `complete`: nothing more will come. */
export type Part = { bytes: Uint8Array; from: number; next: number; complete: boolean };

const CUT_MARK = /^\[trainyard\] [\d.]+ MB of output were cut here[^\n]*\n/;

async function get(jobId: string, query: string, signal?: AbortSignal): Promise<Response> {
  let answer: Response;
  try {
    answer = await fetch(`/v1/jobs/${encodeURIComponent(jobId)}/log?${query}`, { credentials: 'same-origin', signal });
  } catch (cause) {
    if (cause instanceof DOMException && cause.name === 'AbortError') throw cause;
    throw new ApiError(0, 'unreachable', '', '', null);
  }
  if (!answer.ok) throw errorOf(answer.status, await answer.json().catch(() => null));
  return answer;
}

/** The offset of the end, and whether that is the end for good. Throws ApiError, as all of these. */
export async function endOf(jobId: string, signal?: AbortSignal): Promise<{ end: number; complete: boolean }> {
  const { headers } = await get(jobId, 'tail=1', signal);
  return { end: Number(headers.get('X-Next-Offset')), complete: headers.get('X-Log-Complete') === 'true' };
}

export async function read(jobId: string, from: number, limit: number, signal?: AbortSignal): Promise<Part> {
  const answer = await get(jobId, `offset=${from}&limit=${limit}`, signal);
  return {
    bytes: new Uint8Array(await answer.arrayBuffer()),
    from,
    next: Number(answer.headers.get('X-Next-Offset')),
    complete: answer.headers.get('X-Log-Complete') === 'true',
  };
}

/** What lies between two offsets, of which `from` may be anywhere. `reader` is `read` with the job's id. */
export async function between(
  from: number,
  to: number,
  reader: (from: number, limit: number) => Promise<Part>,
): Promise<{ bytes: Uint8Array; from: number }> {
  const parts: Uint8Array[] = [];
  let start = from;
  let at = from;
  while (at < to) {
    const part = await reader(at, to - at);
    if (part.next <= at) break;
    let bytes = part.next > to ? upTo(to, part) : part.bytes;
    if (at === from && from > 0) {
      const strayed = strayedBytes(bytes);
      start += strayed;
      bytes = bytes.subarray(strayed * 3);
    }
    parts.push(bytes);
    at = part.next;
  }
  return { bytes: joined(parts), from: start };
}

/** Behind a hole the route goes on, over the end of what was asked for: what lies beyond is here already. */
function upTo(to: number, part: Part): Uint8Array {
  const text = new TextDecoder().decode(part.bytes.subarray(0, 200));
  const mark = CUT_MARK.exec(text)?.[0].length ?? 0;
  const resumed = part.next - (part.bytes.length - mark);
  const kept = to - resumed;
  // a part that ends in the hole is nothing: the part after it said what was cut
  return kept <= 0 ? new Uint8Array() : part.bytes.subarray(0, mark + kept);
}

/** The rest of a character that was cut in two by the offset: the route has made U+FFFD (EF BF BD) of each byte. */
export function strayedBytes(bytes: Uint8Array): number {
  let count = 0;
  while (count < 3 && bytes[count * 3] === 0xef && bytes[count * 3 + 1] === 0xbf && bytes[count * 3 + 2] === 0xbd)
    count += 1;
  return count;
}

function joined(parts: Uint8Array[]): Uint8Array {
  const [only] = parts;
  if (parts.length === 1 && only !== undefined) return only;
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}
