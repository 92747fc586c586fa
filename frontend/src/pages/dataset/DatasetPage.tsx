import { Page } from '~/ui/Page';

export function DatasetPage() {
  return <Page title="DatasetPage">{null}</Page>;
}
