import type { Job } from '~/api/client';

export function PicturesTab({ job }: { job: Job }) {
  return <p className="p-4">{job.id}</p>;
}
