import { Page } from '~/ui/Page';

export function DatasetsPage() {
  return <Page title="DatasetsPage">{null}</Page>;
}
