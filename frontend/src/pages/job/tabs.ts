/** The views of a job, each loaded when it is first looked at. */
import { type ComponentType, lazy } from 'react';
import type { Job } from '~/api/client';

export type TabName = 'charts' | 'log' | 'pictures' | 'configuration' | 'events' | 'system';

type View = ComponentType<{ job: Job }>;

/** `fills`: as high as the window, scrolling inside. */
export const TABS: { name: TabName; View: View; fills?: boolean }[] = [
  { name: 'charts', View: lazy(() => import('./charts/ChartsTab').then((it) => ({ default: it.ChartsTab }))) },
  { name: 'log', View: lazy(() => import('./log/LogTab').then((it) => ({ default: it.LogTab }))), fills: true },
  {
    name: 'pictures',
    View: lazy(() => import('./pictures/PicturesTab').then((it) => ({ default: it.PicturesTab }))),
  },
  {
    name: 'configuration',
    View: lazy(() => import('./configuration/ConfigurationTab').then((it) => ({ default: it.ConfigurationTab }))),
  },
  { name: 'events', View: lazy(() => import('./events/EventsTab').then((it) => ({ default: it.EventsTab }))) },
  { name: 'system', View: lazy(() => import('./system/SystemTab').then((it) => ({ default: it.SystemTab }))) },
];

/** What `?tab=` says; the charts where it says nothing that there is. */
export function tabOf(name: string | undefined): (typeof TABS)[number] {
  return TABS.find((tab) => tab.name === name) ?? (TABS[0] as (typeof TABS)[number]);
}
