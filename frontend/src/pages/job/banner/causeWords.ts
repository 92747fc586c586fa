/** What the backend found out about a job, in words. In English its own sentences say more than ours could: they name
 * the file, the package, the epoch. In Korean ours come first, and its words follow as they are. */
import type { Schemas } from '~/api/client';
import { defineWords } from '~/i18n/words';

export type Cause = Schemas['ExplanationOut']['cause'];

export const causeTitles = defineWords(
  {
    '': '',
    waiting: 'Waits for its turn',
    preparing: 'Is being prepared',
    running: 'Is running',
    stuck: 'Says nothing',
    stopping: 'Is being stopped',
    parameter: 'A parameter was refused',
    setting: 'A setting does not fit',
    gpu_memory: 'Out of GPU memory',
    shared_memory: 'Out of shared memory',
    loader_killed: 'A loading process was killed',
    memory: 'Out of memory',
    missing_module: 'A Python package is missing',
    wrong_version: 'A package has the wrong version',
    missing_library: 'A system library is missing',
    syntax: 'The code can’t be read',
    undefined_name: 'A name is not defined',
    nan: 'The loss is no number any more',
    labels: 'A label has no class',
    dataset_missing: 'The dataset is gone',
    checkpoint_missing: 'The checkpoint to begin with is gone',
    storage_refused: 'The storage refused a file',
    dataset_broken: 'The dataset is broken',
    dataset_task: 'The dataset is for another task',
    dataset_layout: 'The dataset lacks folders',
    picture: 'A picture can’t be read',
    checkpoint_fit: 'The checkpoint does not fit',
    disk_full: 'The disk is full',
    gpu_driver: 'CUDA and driver do not fit together',
    no_gpu: 'There is no GPU for it',
    too_many_files: 'Too many open files',
    permission: 'A file may not be touched',
    file_missing: 'A file is missing',
    interrupted: 'Interrupted',
    storage_key: 'The storage refused the key',
    storage_away: 'The storage is away',
    mlflow_away: 'MLflow is away',
    hub_away: 'Weights could not be downloaded',
    peers: 'The processes lost each other',
    port_taken: 'A port was in use',
    network: 'The network failed',
  } satisfies Record<Cause, string>,
  {
    '': '',
    waiting: '차례를 기다리는 중',
    preparing: '준비하는 중',
    running: '학습하는 중',
    stuck: '응답 없음',
    stopping: '중단하는 중',
    parameter: '파라미터가 거부됨',
    setting: '맞지 않는 설정값',
    gpu_memory: 'GPU 메모리 부족',
    shared_memory: '공유 메모리 부족',
    loader_killed: '데이터 로딩 프로세스 강제 종료',
    memory: '메모리 부족',
    missing_module: 'Python 패키지 없음',
    wrong_version: '패키지 버전이 맞지 않음',
    missing_library: '시스템 라이브러리 없음',
    syntax: '코드 문법 오류',
    undefined_name: '정의되지 않은 이름',
    nan: '손실값이 숫자가 아님',
    labels: '클래스가 없는 레이블',
    dataset_missing: '데이터셋이 없음',
    checkpoint_missing: '시작할 체크포인트가 없음',
    storage_refused: '저장소가 파일을 주지 않음',
    dataset_broken: '손상된 데이터셋',
    dataset_task: '다른 과제용 데이터셋',
    dataset_layout: '데이터셋 폴더 구조 오류',
    picture: '읽을 수 없는 이미지',
    checkpoint_fit: '맞지 않는 체크포인트',
    disk_full: '디스크 공간 부족',
    gpu_driver: 'CUDA와 드라이버가 맞지 않음',
    no_gpu: '사용할 GPU 없음',
    too_many_files: '열린 파일이 너무 많음',
    permission: '파일 권한 없음',
    file_missing: '파일 없음',
    interrupted: '중단됨',
    storage_key: '저장소 인증 실패',
    storage_away: '저장소에 연결할 수 없음',
    mlflow_away: 'MLflow에 연결할 수 없음',
    hub_away: '가중치를 내려받지 못함',
    peers: '학습 프로세스 간 연결 끊김',
    port_taken: '이미 사용 중인 포트',
    network: '네트워크 오류',
  },
);

type Told = { what: string; advice: string };

/** Korean only: what happened, and what to do about it. */
export const koreanCauses: Record<Cause, Told> = {
  '': { what: '', advice: '' },
  waiting: { what: '차례를 기다리고 있습니다.', advice: '차례가 되면 자동으로 시작합니다.' },
  preparing: { what: '학습을 시작할 준비를 하고 있습니다.', advice: '' },
  running: { what: '학습이 진행 중입니다.', advice: '' },
  stuck: {
    what: '프로세서를 사용하고 있지만 오랫동안 아무 소식이 없습니다.',
    advice: '오래 걸리는 작업을 하는 중일 수 있습니다. 로그를 확인하고, 아니라면 취소하십시오.',
  },
  stopping: { what: '중단을 요청했으며 아직 끝나지 않았습니다.', advice: '' },
  parameter: {
    what: '트레이너가 파라미터 값을 받아들이지 않았습니다.',
    advice: '아래에 표시된 파라미터에 다른 값을 지정하십시오.',
  },
  setting: {
    what: '트레이너가 설정값을 받아들이지 않았습니다.',
    advice: '아래 줄에 표시된 설정을 고쳐 다시 제출하십시오.',
  },
  gpu_memory: {
    what: '이 학습을 실행하기에 GPU 메모리가 부족했습니다.',
    advice: '먼저 배치 크기를, 다음으로 이미지 크기를 줄이거나, 같은 GPU를 사용하는 다른 프로그램을 종료하십시오.',
  },
  shared_memory: {
    what: '이미지를 읽는 프로세스의 공유 메모리(/dev/shm)가 부족했습니다.',
    advice: 'workers 값을 줄이면 적게 사용합니다. workers=0이면 트레이너가 직접 이미지를 읽습니다.',
  },
  loader_killed: {
    what: '이미지를 읽는 프로세스가 강제 종료되었습니다. 대부분 메모리 부족이 원인입니다.',
    advice: 'workers와 배치 크기를 줄이십시오. workers=0이면 오류 추적에 더 많은 내용이 나옵니다.',
  },
  memory: {
    what: '이 학습을 실행하기에 메모리가 부족했습니다.',
    advice: '배치 크기, 이미지 크기 또는 workers 값을 줄이십시오.',
  },
  missing_module: {
    what: '트레이너 환경에 필요한 Python 패키지가 없습니다.',
    advice:
      '트레이너 폴더의 requirements.txt에 패키지를 추가하고 다시 실행하십시오. 직접 만든 파일이라면 train.py 옆에 두십시오.',
  },
  wrong_version: {
    what: '코드가 기대하는 것과 다른 버전의 패키지가 설치되어 있습니다.',
    advice: 'requirements.txt에 맞는 버전을 지정하거나 import를 고치십시오.',
  },
  missing_library: {
    what: '트레이너가 실행된 곳에 시스템 라이브러리가 없습니다.',
    advice: '라이브러리가 든 시스템 패키지를 설치하거나, 라이브러리를 포함한 Python 패키지를 사용하십시오.',
  },
  syntax: {
    what: '트레이너 코드에 문법 오류가 있습니다.',
    advice: '오류 추적에 표시된 파일과 줄을 고쳐 다시 실행하십시오.',
  },
  undefined_name: {
    what: '트레이너 코드가 정의되지 않은 이름을 사용합니다.',
    advice: '오류 추적에 표시된 파일과 줄을 고쳐 다시 실행하십시오.',
  },
  nan: {
    what: '손실값이 NaN 또는 무한대가 되었습니다. 모델이 발산하여 더 이상 학습되지 않습니다.',
    advice: '학습률을 10분의 1로 낮추십시오. 그래도 같다면 데이터셋에 잘못된 레이블이 있는지 확인하십시오.',
  },
  labels: {
    what: '데이터셋의 레이블에 모델에 없는 클래스 번호가 있습니다.',
    advice: '레이블의 클래스 번호와 데이터셋에 선언된 이름을 비교하여 고친 뒤 다시 업로드하십시오.',
  },
  dataset_missing: {
    what: '작업을 제출한 뒤 데이터셋이 저장소에서 삭제되었습니다.',
    advice: '다시 업로드하거나 다른 데이터셋을 선택하십시오.',
  },
  checkpoint_missing: {
    what: '학습을 시작할 체크포인트가 저장소에 없습니다.',
    advice: '남아 있는 체크포인트에서 이어서 학습하거나 새로 제출하십시오.',
  },
  storage_refused: {
    what: '저장소가 필요한 파일을 주지 않았습니다.',
    advice: '이유는 아래 줄에 있습니다. 서비스 상태에서 저장소를 확인한 뒤 다시 시도하십시오.',
  },
  dataset_broken: {
    what: '데이터셋의 zip 파일이 손상되어 압축을 풀 수 없습니다.',
    advice: '데이터셋을 다시 업로드하십시오.',
  },
  dataset_task: {
    what: '이 학습의 과제와 데이터셋의 과제가 다릅니다.',
    advice:
      '과제, 데이터셋 또는 트레이너를 다시 선택하십시오. 객체 검출에는 data.yaml과 images, labels 폴더가, 분류에는 클래스별 이미지 폴더가 필요합니다.',
  },
  dataset_layout: {
    what: '데이터셋에 이 학습에 필요한 폴더가 없습니다.',
    advice: '빠진 것은 아래 줄에 있습니다. 고친 뒤 데이터셋을 다시 업로드하십시오.',
  },
  picture: {
    what: '데이터셋에 읽을 수 없는 이미지가 있습니다.',
    advice: '해당 이미지를 삭제하거나 다시 저장한 뒤 데이터셋을 다시 업로드하십시오.',
  },
  checkpoint_fit: {
    what: '시작할 체크포인트 또는 가중치가 이 학습에 맞지 않거나 읽을 수 없습니다.',
    advice: '같은 모델과 클래스로 학습한 것을 선택하거나 처음부터 학습하십시오.',
  },
  disk_full: {
    what: '디스크에 남은 공간이 없었습니다.',
    advice: '아래 줄에 표시된 위치의 공간을 확보한 뒤 다시 시도하십시오.',
  },
  gpu_driver: {
    what: '트레이너의 CUDA와 이 컴퓨터의 NVIDIA 드라이버 또는 GPU가 서로 맞지 않습니다.',
    advice: '드라이버를 업데이트하거나, requirements.txt에서 이 GPU와 드라이버에 맞는 torch를 지정하십시오.',
  },
  no_gpu: {
    what: '이 학습에 필요한 GPU를 사용할 수 없습니다.',
    advice: '서비스 상태에서 사용 가능한 GPU를 확인하거나, CPU로 가능한 설정을 선택하십시오.',
  },
  too_many_files: {
    what: '시스템이 허용하는 것보다 많은 파일을 열었습니다.',
    advice: 'workers 값을 줄이거나, 백엔드를 시작하는 곳에서 제한(ulimit -n)을 늘리십시오.',
  },
  permission: {
    what: '트레이너가 필요한 파일을 읽거나 쓸 수 없습니다.',
    advice: '실행 폴더 안에만 쓰도록 하거나, 실행하는 사용자에게 해당 파일의 권한을 주십시오.',
  },
  file_missing: {
    what: '트레이너가 찾는 파일이 없습니다.',
    advice: '필요한 파일은 데이터셋에 넣거나, train.py 옆에 두고 __file__ 을 기준으로 찾으십시오.',
  },
  interrupted: {
    what: 'Ctrl+C 또는 같은 시그널을 보내는 프로그램이 중단했습니다.',
    advice: '작업에는 문제가 없습니다.',
  },
  storage_key: {
    what: '저장소가 트레이너의 키 또는 버킷을 거부했습니다.',
    advice: '저장소 설정을 확인한 뒤 다시 시도하십시오.',
  },
  storage_away: {
    what: '저장소에 연결할 수 없었습니다.',
    advice: '서비스 상태에서 저장소를 확인한 뒤 다시 시도하십시오.',
  },
  mlflow_away: {
    what: 'MLflow에 연결할 수 없거나 요청이 거부되었습니다.',
    advice: '서비스 상태에서 MLflow를 확인한 뒤 다시 시도하십시오.',
  },
  hub_away: {
    what: '사전 학습된 가중치를 내려받지 못했습니다.',
    advice: '`trainyard weights add`로 저장소에 한 번 넣어 두거나, 인터넷에 연결하십시오.',
  },
  peers: {
    what: '함께 학습하던 프로세스들의 연결이 끊어졌습니다.',
    advice: '하나가 먼저 종료되었거나 네트워크가 끊어진 것입니다. 로그에서 마지막 기록을 확인하십시오.',
  },
  port_taken: {
    what: '트레이너가 사용하려는 포트를 다른 프로그램이 사용하고 있었습니다.',
    advice: '사용 중인 프로그램(대개 이전 실행)을 종료한 뒤 다시 시도하십시오.',
  },
  network: {
    what: '트레이너가 네트워크로 필요한 곳에 연결할 수 없었습니다.',
    advice: '연결하지 못한 곳은 아래 줄에 있습니다. 서비스 상태에서 백엔드, 저장소, MLflow를 확인하십시오.',
  },
};
