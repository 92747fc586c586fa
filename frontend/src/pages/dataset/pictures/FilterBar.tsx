import { useFormat } from '~/format/format';
import { useWords } from '~/i18n/words';
import { Search } from '~/ui/Search';
import { OF_PICTURES, problemWords } from '../problemWords';
import type { Code, Filters, Report } from '../queries';
import { bars } from '../report/figures';
import { datasetWords } from '../words';

/** Which pictures are shown. */
export function FilterBar(props: {
  report: Report;
  filters: Filters;
  onChange: (changes: Filters) => void;
  found: number | null;
  labels: boolean;
  onLabels: (shown: boolean) => void;
}) {
  const { report, filters, onChange } = props;
  const words = useWords(datasetWords);
  const problems = useWords(problemWords);
  const format = useFormat();
  const codes = [...new Set(report.problems.map((one) => one.code))].filter((code) => OF_PICTURES.has(code));
  if (
    filters.problem !== undefined &&
    OF_PICTURES.has(filters.problem as Code) &&
    !codes.includes(filters.problem as Code)
  )
    codes.push(filters.problem as Code);
  return (
    <div className="top-0 z-10 flex flex-wrap items-center gap-2 border-line border-b bg-bg px-4 py-2 wide:sticky">
      <Choose
        label={words.filterSplit}
        value={filters.split}
        all={words.any}
        options={Object.entries(report.splits).map(([name, one]) => [name, `${name} (${format.count(one.pictures)})`])}
        onChange={(split) => onChange({ split })}
      />
      <Choose
        label={words.filterClass}
        value={filters.label}
        all={words.any}
        options={bars(report).bars.map((one) => [one.name, `${one.name} (${format.count(one.total)})`])}
        onChange={(label) => onChange({ label })}
      />
      {codes.length > 0 && (
        <Choose
          label={words.filterProblem}
          value={filters.problem}
          all={words.any}
          options={[['any', words.anyProblem], ...codes.map((code): [string, string] => [code, problems[code]])]}
          onChange={(problem) => onChange({ problem })}
        />
      )}
      <Search
        value={filters.search ?? ''}
        onChange={(search) => onChange({ search })}
        label={words.filterName}
        className="min-w-28 flex-1 wide:max-w-48"
      />
      <label className="flex items-center gap-1.5">
        <input type="checkbox" checked={props.labels} onChange={(event) => props.onLabels(event.target.checked)} />
        {words.boxesShown}
      </label>
      <span role="status" className="ml-auto text-muted">
        {props.found !== null && words.found(format.count(props.found))}
      </span>
    </div>
  );
}

function Choose(props: {
  label: string;
  value: string | undefined;
  all: string;
  options: [value: string, shown: string][];
  onChange: (value: string) => void;
}) {
  return (
    <label className="flex items-center gap-1.5">
      <span className="text-muted">{props.label}</span>
      <select
        className="field w-auto! max-w-44"
        value={props.value ?? ''}
        onChange={(event) => props.onChange(event.target.value)}
      >
        <option value="">{props.all}</option>
        {props.options.map(([value, shown]) => (
          <option key={value} value={value}>
            {shown}
          </option>
        ))}
      </select>
    </label>
  );
}
