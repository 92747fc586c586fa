/** Counts, and which jobs a filter finds, change with what happens: asked for anew, not more than every two seconds. */
import { useQueryClient } from '@tanstack/react-query';
import { useEffect, useRef } from 'react';
import { useLive } from '~/live/live';
import type { Chosen } from './chosen';
import { FACETS } from './facets';

const EVERY_MS = 2_000;

export function useFreshFacets(chosen: Chosen): void {
  const client = useQueryClient();
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined);
  const refresh = useRef(() => {});
  refresh.current = () => {
    timer.current = undefined;
    void client.invalidateQueries({ queryKey: [FACETS] });
    if (chosen.state !== '') void client.invalidateQueries({ queryKey: ['jobs'] });
  };
  useLive((events) => {
    if (events.some((event) => event.type === 'state' || event.type === 'changed'))
      timer.current ??= setTimeout(() => refresh.current(), EVERY_MS);
  });
  useEffect(() => () => clearTimeout(timer.current), []);
}
