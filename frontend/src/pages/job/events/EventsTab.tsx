import type { Job } from '~/api/client';

export function EventsTab({ job }: { job: Job }) {
  return <p className="p-4">{job.id}</p>;
}
