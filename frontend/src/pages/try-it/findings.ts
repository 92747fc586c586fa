/** What a checkpoint saw in one picture, and what of it is shown. */
import { ApiError, type Schemas } from '~/api/client';

/** The client makes arrays of tuples. */
export type Prediction = Omit<Schemas['PredictionOut'], 'box'> & { box?: number[] | null };
type Answer = Omit<Schemas['PredictOut'], 'predictions'> & { predictions: Prediction[] };

/** One picture's share of an answer. */
export type Seen = {
  checkpoint: string;
  note: string;
  warm: boolean;
  seconds: Schemas['Seconds'];
  width: number;
  height: number;
  predictions: Prediction[];
};

/** What is asked for, so that the slider needs no other request: less than this is nothing but noise, and slow. */
export const LEAST = 0.001;
export const USUAL = 0.25;
export const MOST_PICTURES = 16;

export function seenOf(answer: Answer): Seen {
  const { checkpoint, note, warm, seconds } = answer;
  const [picture] = answer.pictures;
  const predictions = answer.predictions.filter((one) => one.picture === 0);
  return { checkpoint, note, warm, seconds, width: picture?.width ?? 0, height: picture?.height ?? 0, predictions };
}

/** A classifier says how likely each class is; a detector where things are. */
export function scoresOf(seen: Seen): { label: string; share: number }[] | null {
  const first = seen.predictions[0];
  if (first === undefined || first.box) return null;
  const scores = Object.entries(first.scores ?? { [first.label]: first.confidence });
  return scores.map(([label, share]) => ({ label, share })).sort((one, other) => other.share - one.share);
}

export function sureEnough(predictions: readonly Prediction[], least: number): Prediction[] {
  return predictions.filter((one) => one.confidence >= least).sort((one, other) => other.confidence - one.confidence);
}

/** To be copied: what is shown, as the API tells it. */
export function asJson(jobId: string, name: string, seen: Seen, least: number): string {
  const isDetector = scoresOf(seen) === null;
  const shown = isDetector ? sureEnough(seen.predictions, least) : seen.predictions;
  const predictions = shown.map(({ label, confidence, box, scores }) => ({
    label,
    confidence,
    ...(box && { box }),
    ...(scores && { scores }),
  }));
  const { checkpoint, width, height } = seen;
  return JSON.stringify(
    { job: jobId, checkpoint, picture: name, width, height, ...(isDetector && { confidence: least }), predictions },
    null,
    2,
  );
}

/** Whether only this picture is at fault, and others may go on. */
export function isOfPicture(error: unknown): boolean {
  return error instanceof ApiError && (error.status === 413 || Boolean(error.field?.startsWith('pictures.')));
}

const SUFFIX = /\.(jpe?g|png|webp|bmp|gif|tiff?)$/i;

/** By what the browser says of a file, else by its name: TIFF has no type everywhere. */
export function isPicture(file: { type: string; name: string }): boolean {
  return file.type.startsWith('image/') || (file.type === '' && SUFFIX.test(file.name));
}

/** A file's name as the API takes it. */
export function plainName(name: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is replaced
  return name.replace(/[\x00-\x1f\x7f-\x9f]/g, '?').slice(0, 300);
}

/** Jobs that one can try, those that succeeded first. */
export function triable<T extends { state: string; checkpoint: string | null }>(jobs: readonly T[]): T[] {
  const some = jobs.filter((job) => job.checkpoint !== null);
  return [...some.filter((job) => job.state === 'SUCCEEDED'), ...some.filter((job) => job.state !== 'SUCCEEDED')];
}
