/** One's own account, and what an admin of a project or an administrator decides. */
import { useState } from 'react';
import { useMe } from '~/api/session';
import { useWords } from '~/i18n/words';
import { Page } from '~/ui/Page';
import { Account } from './Account';
import { Members } from './Members';
import { NewProject } from './NewProject';
import { Section } from './parts';
import { Tokens } from './Tokens';
import { Users } from './Users';
import { Webhooks } from './Webhooks';
import { settingsWords } from './words';

export function SettingsPage() {
  const words = useWords(settingsWords);
  const me = useMe();
  return (
    <Page title={words.title}>
      <div className="flex max-w-3xl flex-col gap-10 p-4 pb-16">
        <Account />
        <Tokens />
        <ProjectSettings />
        {me.administrator && <Users />}
      </div>
    </Page>
  );
}

function ProjectSettings() {
  const words = useWords(settingsWords);
  const { projects, administrator } = useMe();
  const [chosen, setChosen] = useState(projects[0]?.id);
  const project = projects.find((one) => one.id === chosen) ?? projects[0];
  const isAdmin = administrator || project?.role === 'admin';
  return (
    <Section title={words.projects} help={isAdmin ? undefined : words.roleElsewhere}>
      {project !== undefined && (
        <select
          aria-label={words.project}
          className="field max-w-64"
          value={project.id}
          onChange={(event) => setChosen(event.target.value)}
        >
          {projects.map((one) => (
            <option key={one.id} value={one.id}>
              {one.name}
            </option>
          ))}
        </select>
      )}
      {project !== undefined && <Members projectId={project.id} isAdmin={isAdmin} />}
      {project !== undefined && isAdmin && <Webhooks key={project.id} projectId={project.id} />}
      {administrator && <NewProject />}
    </Section>
  );
}
