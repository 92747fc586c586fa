import { defineWords } from '~/i18n/words';

export const diffWords = defineWords(
  {
    folded: (count: string) =>
      count === '1' ? 'Show 1 line that is the same' : `Show ${count} lines that are the same`,
    same: 'No differences',
    sameCode: 'Both ran the same code.',
    changedFiles: (count: string, same: string) => `Files that differ: ${count} · the same: ${same}`,
    in: 'added',
    out: 'removed',
    added: 'only after',
    removed: 'only before',
    binary: 'This file is no text, or too large to be shown.',
    noCode: 'No code was kept of at least one of them, so there is nothing to compare.',
    files: 'Files',
    loading: 'Code is being loaded',
    lines: (added: string, removed: string) => `${added} lines added, ${removed} removed`,
  },
  {
    folded: (count: string) => `같은 줄 ${count}개 펼치기`,
    same: '차이 없음',
    sameCode: '같은 코드로 실행되었습니다.',
    changedFiles: (count: string, same: string) => `다른 파일 ${count}개 · 같은 파일 ${same}개`,
    in: '추가됨',
    out: '삭제됨',
    added: '새 쪽에만 있음',
    removed: '기준 쪽에만 있음',
    binary: '텍스트가 아니거나 너무 커서 표시할 수 없는 파일입니다.',
    noCode: '보관된 코드가 없는 작업이 있어 비교할 수 없습니다.',
    files: '파일',
    loading: '코드를 불러오는 중',
    lines: (added: string, removed: string) => `${added}줄 추가, ${removed}줄 삭제`,
  },
);
