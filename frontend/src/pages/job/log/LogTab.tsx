/** A job's output, live. */
import { useEffect, useMemo, useState, useSyncExternalStore } from 'react';
import type { Job } from '~/api/client';
import { useKeys } from '~/app/keys';
import { useFormat } from '~/format/format';
import { useWords } from '~/i18n/words';
import { Button } from '~/ui/Button';
import { Empty, ErrorText, Failure, Skeleton } from '~/ui/Told';
import { toast } from '~/ui/toast';
import { useDownload } from './download';
import { LogFeed } from './feed';
import { nextHit } from './finder';
import { LogBar } from './LogBar';
import { type Goto, LogPane } from './LogPane';
import { useLogOptions } from './options';
import { SearchBox } from './SearchBox';
import { useFinder } from './useFinder';
import { logWords } from './words';

const ENDED = new Set(['SUCCEEDED', 'FAILED', 'CANCELLED']);

export function LogTab({ job }: { job: Job }) {
  return <LogOf key={job.id} job={job} />;
}

function LogOf({ job }: { job: Job }) {
  const words = useWords(logWords);
  const feed = useMemo(() => new LogFeed(job.id), [job.id]);
  const state = useSyncExternalStore(feed.subscribe, feed.snapshot);
  const [options, setOptions] = useLogOptions();
  const [follow, setFollow] = useState(true);
  const [goto, setGoto] = useState<Goto>({ line: 'end' });
  const [typed, setTyped] = useState('');
  const [current, setCurrent] = useState<number | null>(null);
  const download = useDownload(job.id, (error) => toast(<ErrorText error={error} />, { bad: true }));

  useEffect(() => {
    void feed.start();
    return () => feed.stop();
  }, [feed]);

  useEffect(() => {
    const look = () => feed.want(follow && document.visibilityState === 'visible');
    look();
    document.addEventListener('visibilitychange', look);
    return () => document.removeEventListener('visibilitychange', look);
  }, [feed, follow]);

  const found = useFinder(feed.text, state.version, typed, options.trace, (ids) => visit(ids[0] ?? null));

  function visit(id: number | null) {
    setCurrent(id);
    if (id === null) return;
    setFollow(false);
    setGoto({ line: id });
  }

  function toEnd(end: 'start' | 'end') {
    setFollow(end === 'end');
    setGoto({ line: end });
    if (end === 'start') void feed.older(true).then(() => setGoto({ line: 'start' }));
  }

  const followIt = (wanted: boolean) => {
    setFollow(wanted);
    if (wanted) setGoto({ line: 'end' });
  };
  useKeys({ '.': () => followIt(true) });

  if (state.phase === 'failed')
    return (
      <div className="p-4">
        <Failure error={state.error} onRetry={() => void feed.start()} />
      </div>
    );

  return (
    <section aria-label={words.log} className="flex min-h-96 flex-1 flex-col">
      <LogBar
        search={
          <SearchBox
            typed={typed}
            onType={setTyped}
            found={found}
            current={current}
            onStep={(back) => visit(nextHit(found.ids, current ?? feed.text.first - 1, back))}
          />
        }
        options={options}
        onOptions={setOptions}
        follow={state.complete ? null : follow}
        onFollow={followIt}
        onEnd={toEnd}
        download={download}
      />
      <Standing feed={feed} searching={typed !== ''} />
      {state.phase === 'loading' ? (
        <div className="flex flex-col gap-2 p-3">
          {['w-1/2', 'w-2/3', 'w-1/3', 'w-3/5', 'w-2/5'].map((width) => (
            <Skeleton key={width} className={`h-3.5 ${width}`} />
          ))}
        </div>
      ) : feed.text.length === 0 ? (
        <Empty title={ENDED.has(job.state) ? words.never : words.waiting}>
          {ENDED.has(job.state) ? words.neverHelp : words.waitingHelp}
        </Empty>
      ) : (
        <LogPane
          feed={feed}
          state={state}
          options={options}
          follow={follow}
          onFollow={setFollow}
          needle={found.needle}
          current={typed === '' ? null : current}
          goto={goto}
        />
      )}
    </section>
  );
}

/** How much of it is here; only where that is not all. */
function Standing({ feed, searching }: { feed: LogFeed; searching: boolean }) {
  const words = useWords(logWords);
  const format = useFormat();
  const state = useSyncExternalStore(feed.subscribe, feed.snapshot);
  const [shown, all] = [format.bytes(state.end - state.from), format.bytes(state.end)];
  if (state.phase !== 'ready' || (state.from === 0 && state.error === null)) return null;
  return (
    <div className="flex flex-wrap items-center gap-2 border-line border-b bg-raised px-3 py-1 text-small">
      {state.error !== null ? (
        <span role="alert" className="text-failed">
          <ErrorText error={state.error} />
        </span>
      ) : (
        <span className="text-muted">
          {state.filling === 'all' ? words.loadingAll(shown, all) : words.onlyPart(shown, all)}
        </span>
      )}
      <Button
        kind={searching ? 'plain' : 'quiet'}
        className="min-h-6! py-0!"
        onClick={() => (state.filling === 'all' ? feed.stopFilling() : void feed.older(true))}
      >
        {state.filling === 'all' ? words.stop : words.loadAll}
      </Button>
    </div>
  );
}
