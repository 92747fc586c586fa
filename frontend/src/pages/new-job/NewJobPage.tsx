import { Page } from '~/ui/Page';

export function NewJobPage() {
  return <Page title="NewJobPage">{null}</Page>;
}
