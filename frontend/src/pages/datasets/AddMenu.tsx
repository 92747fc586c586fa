/** The ways a dataset comes. */
import { useWords } from '~/i18n/words';
import { Button } from '~/ui/Button';
import { Menu, MenuItem } from '~/ui/Menu';
import type { Sample } from './samples';
import { datasetsWords } from './words';

export function AddMenu(props: {
  samples: Sample[];
  onZip: () => void;
  onFolder: () => void;
  onStore: () => void;
  onSample: (sample: Sample) => void;
}) {
  const words = useWords(datasetsWords);
  return (
    <>
      <Menu label="⋯" name={words.more}>
        <MenuItem onClick={props.onStore}>{words.fromStore}</MenuItem>
        {props.samples.length > 0 && (
          <div className="mt-1 border-line border-t px-2 pt-2 pb-1 text-muted text-small">{words.samples}</div>
        )}
        {props.samples.map((sample) => (
          <MenuItem key={sample.id} onClick={() => props.onSample(sample)}>
            <span className="max-w-72">{sample.title}</span>
          </MenuItem>
        ))}
      </Menu>
      <Button onClick={props.onFolder}>{words.uploadFolder}</Button>
      <Button kind="primary" onClick={props.onZip}>
        {words.uploadZip}
      </Button>
    </>
  );
}
