/** What doctor finds. Its sentences are the command line's, and in English as there. */
import { queryOptions, useQuery } from '@tanstack/react-query';
import { api, ask } from '~/api/client';
import { useWords } from '~/i18n/words';
import { Button } from '~/ui/Button';
import { Failure, Skeleton } from '~/ui/Told';
import { Mark } from './Mark';
import { servicesWords } from './words';

const checkupQuery = queryOptions({
  queryKey: ['checkup'],
  queryFn: ({ signal }) => ask(api.GET('/v1/checkup', { signal })),
});

export function Doctor() {
  const words = useWords(servicesWords);
  const checkup = useQuery(checkupQuery);
  return (
    <section className="flex flex-col gap-2">
      <div className="flex items-center justify-between gap-2">
        <h2 className="m-0 text-body">{words.doctor}</h2>
        <Button onClick={() => void checkup.refetch()} disabled={checkup.isFetching}>
          {checkup.isFetching ? words.looking : words.again}
        </Button>
      </div>
      {checkup.isError && <Failure error={checkup.error} />}
      {checkup.isPending && <Skeleton className="h-72 w-full" />}
      <ul className="panel m-0 list-none divide-y divide-line p-0" lang="en">
        {checkup.data?.items.map((found) => (
          <li key={found.what} className="flex flex-wrap items-baseline gap-x-3 px-3 py-1.5">
            <span className="w-full font-strong wide:w-40">{found.what}</span>
            <span className="min-w-0 flex-1">
              {found.text}
              {found.do && <span className="block text-muted">→ {found.do}</span>}
            </span>
            <Mark verdict={found.verdict} text={words[found.verdict]} />
          </li>
        ))}
      </ul>
    </section>
  );
}
