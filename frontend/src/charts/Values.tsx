/** The same as a table, for those who can't see the picture. */
import { memo, useDeferredValue, useMemo } from 'react';
import { useWords } from '~/i18n/words';
import { bounds, type Line } from './lines';
import { chartWords } from './words';

type Written = {
  title: string;
  lines: readonly Line[];
  at: (step: number) => string;
  yText: (value: number) => string;
};

export function Values(props: Written) {
  return <Table {...props} lines={useDeferredValue(props.lines)} />;
}

/** Not with every move of a slider: it looks at every point. */
const Table = memo(function Table(props: Written) {
  const { lines } = props;
  const words = useWords(chartWords);
  const starred = lines.some(({ best }) => best != null);
  return (
    // a table would not shrink to nothing by itself, and make the page wider
    <div className="sr-only">
      <table>
        <caption>{words.values(props.title)}</caption>
        <thead>
          <tr>
            <th scope="col">{words.line}</th>
            <th scope="col">{words.last}</th>
            <th scope="col">{words.lowest}</th>
            <th scope="col">{words.highest}</th>
            {starred && <th scope="col">{words.best}</th>}
          </tr>
        </thead>
        <tbody>
          {lines.map((line) => (
            <Row key={line.id} line={line} starred={starred} at={props.at} yText={props.yText} />
          ))}
        </tbody>
      </table>
    </div>
  );
});

function Row(props: { line: Line; starred: boolean; at: (step: number) => string; yText: (value: number) => string }) {
  const words = useWords(chartWords);
  const { line, yText } = props;
  const told = (place: number) => {
    const value = line.values[place];
    const step = line.steps[place];
    return value == null || step === undefined ? '–' : words.at(yText(value), props.at(step));
  };
  const range = useMemo(() => bounds(line.values), [line]);
  return (
    <tr>
      <th scope="row">{line.label}</th>
      <td>{told(line.steps.length - 1)}</td>
      <td>{range === null ? '–' : yText(range.low)}</td>
      <td>{range === null ? '–' : yText(range.high)}</td>
      {props.starred && <td>{line.best == null ? '–' : told(line.steps.indexOf(line.best))}</td>}
    </tr>
  );
}
