/** Every kind of problem in words: what it is, what it does to a training, and what to do about it. */
import { defineWords } from '~/i18n/words';
import type { Code } from './queries';

type Told = Record<Code | `${Code}_do`, string>;

const en: Told = {
  unreadable_picture: 'Pictures that can’t be read',
  unreadable_picture_do: 'Trainers leave them out, or stop at them. Save them again as JPEG or PNG, or remove them.',
  label_unreadable: 'Label lines that can’t be read',
  label_unreadable_do: 'Each line is “class x y width height”, as shares of the picture. Export the labels again.',
  class_out_of_range: 'Labels of classes that do not exist',
  class_out_of_range_do:
    'Class numbers begin with 0. Name the class in data.yaml, or correct the number in these files.',
  box_outside: 'Boxes that leave their picture',
  box_outside_do: 'Coordinates are shares between 0 and 1, not pixels. Far outside, trainers drop the whole picture.',
  box_degenerate: 'Boxes without width or height',
  box_degenerate_do: 'Nothing can be learnt from them. Draw them again or remove their lines.',
  missing_label: 'Pictures without a label file',
  missing_label_do:
    'Trainers take them as empty. If something is on them, add a .txt of the same name to the labels folder.',
  duplicate_inside: 'The same picture more than once in a split',
  duplicate_inside_do: 'It counts more than others. Keep one of each.',
  duplicate_across: 'The same picture in several splits',
  duplicate_across_do: 'What is measured looks better than it is. Keep each picture in one split only.',
  no_validation: 'No validation split',
  no_validation_do: 'A fifth of the pictures is drawn for it. To choose them yourself, add a val folder.',
  empty_validation: 'An empty validation split',
  empty_validation_do: 'Nothing can be measured. Add pictures with labels to val.',
  class_missing: 'Classes without examples in a split',
  class_missing_do: 'They can’t be learnt or measured there. Add examples, or remove these classes.',
  imbalance: 'Many more examples of some classes than of others',
  imbalance_do: 'Rare classes are learnt badly. Add examples of them, or look at their metrics apart.',
  picture_too_large: 'Pictures that are too large',
  picture_too_large_do: 'They may use up the memory. Scale them down, or cut them into parts.',
  not_checked: 'Pictures that were not opened',
  not_checked_do:
    'Opening the others took too long, so nobody knows whether these can be read. Save the slow ones again, and upload anew.',
  unknown_file: 'Files that belong to nothing',
  unknown_file_do: 'No split uses them. Check the folders in data.yaml, or remove the files.',
};

const ko: Told = {
  unreadable_picture: '읽을 수 없는 이미지',
  unreadable_picture_do: '트레이너가 건너뛰거나 중단될 수 있습니다. JPEG나 PNG로 다시 저장하거나 삭제하십시오.',
  label_unreadable: '읽을 수 없는 라벨 행',
  label_unreadable_do: '한 행은 “클래스 x y 너비 높이”이며 이미지에 대한 비율로 적습니다. 라벨을 다시 내보내십시오.',
  class_out_of_range: '존재하지 않는 클래스의 라벨',
  class_out_of_range_do: '클래스 번호는 0부터 시작합니다. data.yaml에 클래스를 추가하거나 파일의 번호를 고치십시오.',
  box_outside: '이미지 밖으로 나간 박스',
  box_outside_do: '좌표는 픽셀이 아니라 0과 1 사이의 비율입니다. 크게 벗어나면 이미지 전체가 학습에서 제외됩니다.',
  box_degenerate: '너비나 높이가 없는 박스',
  box_degenerate_do: '학습에 쓸 수 없습니다. 다시 그리거나 해당 행을 삭제하십시오.',
  missing_label: '라벨 파일이 없는 이미지',
  missing_label_do: '빈 이미지로 학습합니다. 물체가 있다면 같은 이름의 .txt를 labels 폴더에 추가하십시오.',
  duplicate_inside: '한 분할 안에서 중복된 이미지',
  duplicate_inside_do: '다른 이미지보다 더 큰 비중으로 학습됩니다. 하나만 남기십시오.',
  duplicate_across: '여러 분할에 중복된 이미지',
  duplicate_across_do: '성능이 실제보다 높게 측정됩니다. 이미지마다 한 분할에만 두십시오.',
  no_validation: '검증 분할 없음',
  no_validation_do: '이미지의 5분의 1을 검증용으로 뽑습니다. 직접 정하려면 val 폴더를 추가하십시오.',
  empty_validation: '빈 검증 분할',
  empty_validation_do: '성능을 측정할 수 없습니다. 라벨이 있는 이미지를 val에 추가하십시오.',
  class_missing: '예시가 없는 클래스',
  class_missing_do: '해당 분할에서 학습하거나 측정할 수 없습니다. 예시를 추가하거나 클래스를 삭제하십시오.',
  imbalance: '클래스 불균형',
  imbalance_do: '적은 클래스는 잘 학습되지 않습니다. 예시를 늘리거나 클래스별 성능을 따로 확인하십시오.',
  picture_too_large: '너무 큰 이미지',
  picture_too_large_do: '메모리가 부족해질 수 있습니다. 크기를 줄이거나 여러 조각으로 나누십시오.',
  not_checked: '열어 보지 않은 이미지',
  not_checked_do:
    '다른 이미지를 여는 데 너무 오래 걸려 읽을 수 있는지 확인하지 않았습니다. 느린 이미지를 다시 저장하여 올리십시오.',
  unknown_file: '쓰이지 않는 파일',
  unknown_file_do: '어느 분할에도 속하지 않습니다. data.yaml의 폴더를 확인하거나 파일을 삭제하십시오.',
};

export const problemWords = defineWords<Told>(en, ko);

/** Those that are said of pictures one by one: the others concern all of them together, or no picture. */
export const OF_PICTURES: ReadonlySet<Code> = new Set<Code>([
  'unreadable_picture',
  'label_unreadable',
  'class_out_of_range',
  'box_outside',
  'box_degenerate',
  'missing_label',
  'duplicate_inside',
  'duplicate_across',
  'picture_too_large',
  'not_checked',
]);

/** Those whose own sentence names what is meant. */
export const SAYS_MORE: ReadonlySet<Code> = new Set<Code>(['class_missing', 'imbalance']);
