/** What a job is, how it stands, and what can be done about it. */
import type { ReactNode } from 'react';
import type { Job } from '~/api/client';
import { Actions } from './Actions';
import { Facts } from './Facts';
import { JobName } from './JobName';
import { Standing } from './Standing';

export function Header({ job }: { job: Job }): ReactNode {
  return (
    <header className="flex flex-wrap items-start gap-x-4 gap-y-2 px-4 pt-3 pb-2">
      <div className="flex min-w-0 flex-1 basis-80 flex-col gap-1">
        <JobName job={job} />
        <Standing job={job} />
        <Facts job={job} />
      </div>
      <Actions job={job} />
    </header>
  );
}
