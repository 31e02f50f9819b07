//! Fixed runs, made from the committed sample.

use quickeats_bench::check::{Kind, Verdict};
use quickeats_bench::run_result::{
    Bucket, DelayResult, ExtentInfo, FindingResult, RunResult, ScenarioResult, ThresholdResult, WitnessLine,
};

use crate::hostile;

/// The sample: one scenario, one finding.
pub(crate) fn violated() -> RunResult {
    serde_json::from_str(include_str!("../../reports/sample/run.json")).unwrap()
}

/// A run that holds: nothing was found.
pub(crate) fn holds() -> RunResult {
    let mut result = violated();
    result.verdict = Verdict::Holds;
    result.exit_code = 0;
    result.totals.findings = 0;
    result.totals.lost_updates = 0;
    (result.totals.violated, result.totals.holds) = (0, 1);
    let scenario = &mut result.scenarios[0];
    scenario.verdict = Verdict::Holds;
    scenario.findings.clear();
    scenario.lost_updates = 0;
    scenario.rate_upper_bound_95 = Some(0.0149);
    result
}

/// A run that decided nothing, was interrupted, and had limits.
pub(crate) fn inconclusive() -> RunResult {
    let mut result = holds();
    result.verdict = Verdict::Inconclusive;
    result.exit_code = 3;
    result.interrupted = true;
    (result.totals.inconclusive, result.totals.holds) = (1, 0);
    result.extent = Some(ExtentInfo {
        rounds: 200,
        duration_ms: Some(5_000),
        until: vec!["confidence=99%,rate=1%".to_owned()],
        out_of_time: vec!["cancel-vs-accept".to_owned()],
        settled: vec!["stale-write".to_owned()],
    });
    result.thresholds = vec![threshold(Some(31_000.0), true), threshold(Some(9_000.0), false), threshold(None, false)];
    let scenario = &mut result.scenarios[0];
    scenario.verdict = Verdict::Inconclusive;
    scenario.rate_upper_bound_95 = None;
    scenario.rounds_overlapped = 3;
    scenario.parallel = Some(8);
    scenario.doubts = vec!["no round overlapped: nothing raced; `--delivery head` lets it answer none".to_owned()];
    result
}

fn threshold(measured: Option<f64>, crossed: bool) -> ThresholdResult {
    let scenario = measured.map(|_| "cancel-vs-accept".to_owned());
    ThresholdResult { name: "max-p95".to_owned(), scenario, limit: 20_000.0, measured, crossed }
}

/// A run whose contenders were held apart, with a script, a serial control, and a finding of another kind beside it.
pub(crate) fn swept() -> RunResult {
    let mut result = violated();
    let scenario = &mut result.scenarios[0];
    let bucket = |from_us, to_us, rounds, hits| Bucket { from_us, to_us, rounds, hits };
    let buckets =
        vec![bucket(-5_000, -500, 4, 0), bucket(-500, 0, 20, 17), bucket(0, 50, 30, 12), bucket(50, 5_000, 6, 1)];
    scenario.delays = vec![DelayResult { of: "acceptance".to_owned(), after: "cancellation".to_owned(), buckets }];
    scenario.script =
        Some("#!/bin/sh\ncurl -X POST \"$URL/orders\" &\ncurl -X POST \"$URL/orders\" &\nwait\n".to_owned());
    let mut other = scenario.findings[0].clone();
    other.kind = Kind::KeyPoisoned;
    other.severity = Kind::KeyPoisoned.severity();
    other.controls = 2;
    other.also.clear();
    other.round = None;
    scenario.findings.push(other);
    result.totals.findings = 2;
    result
}

/// Everything at once, in friendly words.
pub(crate) fn violated_fully() -> RunResult {
    let mut result = swept();
    let other = inconclusive();
    result.interrupted = true;
    result.extent = other.extent;
    result.thresholds = other.thresholds;
    result.scenarios[0].parallel = Some(8);
    result.scenarios[0].doubts = other.scenarios[0].doubts.clone();
    let mut undecided = other.scenarios[0].clone();
    undecided.name = "undecided".to_owned();
    result.scenarios.push(undecided);
    result.totals.scenarios = 2;
    result
}

/// The same with a stranger's words in every field.
pub(crate) fn hostile() -> RunResult {
    hostile::of(&violated_fully())
}

/// No scenario at all.
pub(crate) fn nothing() -> RunResult {
    let mut result = inconclusive();
    result.scenarios.clear();
    result.rerun = None;
    result.thresholds.clear();
    result.totals.scenarios = 0;
    result.totals.latency_us.count = 0;
    result
}

/// So many findings, of every kind in turn, five a scenario.
pub(crate) fn many(findings: usize) -> RunResult {
    let mut result = violated();
    let model = result.scenarios.remove(0);
    let finding = model.findings[0].clone();
    let of = |at: usize| FindingResult {
        kind: Kind::ALL[at % Kind::ALL.len()],
        severity: Kind::ALL[at % Kind::ALL.len()].severity(),
        ..finding.clone()
    };
    result.scenarios = (0..findings.div_ceil(5))
        .map(|at| ScenarioResult {
            name: format!("race-{at}"),
            contenders: 2 + at as u64 % 7,
            findings: (at * 5..findings.min(at * 5 + 5)).map(of).collect(),
            ..model.clone()
        })
        .collect();
    result.totals.scenarios = result.scenarios.len() as u64;
    result.totals.violated = result.totals.scenarios;
    result.totals.findings = findings as u64;
    result
}

/// The sample with its round made long: the proof in the middle.
pub(crate) fn long_round(operations: u32) -> RunResult {
    let mut result = violated();
    lengthen(&mut result.scenarios[0].findings[0], operations);
    result
}

fn lengthen(finding: &mut FindingResult, operations: u32) {
    let story = finding.round.as_mut().unwrap();
    let model = story.operations[0].clone();
    let reads = (1..).take((operations as usize).saturating_sub(story.operations.len())).map(|at| WitnessLine {
        operation: 1_000 + at,
        client: 1_000 + at % 9,
        opened_us: i64::from(at) * if at % 2 == 0 { 170 } else { -190 },
        closed_us: i64::from(at) * if at % 2 == 0 { 170 } else { -190 } + 900,
        ..model.clone()
    });
    story.operations.extend(reads);
    story.count = story.operations.len() as u64;
}

/// A run in Korean.
pub(crate) fn korean() -> RunResult {
    let mut result = violated();
    result.api = "주문-서비스".to_owned();
    let scenario = &mut result.scenarios[0];
    scenario.name = "취소-대-수락".to_owned();
    let finding = &mut scenario.findings[0];
    finding.sentence = "식당의 수락이 승인되었고 (200: 조리중, 버전 3) 고객의 취소도 승인되었습니다 (200: 취소됨, 버전 3); 서버는 이제 `조리중`이라고 \
                        말합니다: 고객의 취소가 사라졌습니다"
        .to_owned();
    let translated = |line: &mut WitnessLine| {
        line.actor = if line.actor == "customer" { "고객" } else { "식당" }.to_owned();
        line.state = line.state.as_ref().map(|state| if state == "cancelled" { "취소됨" } else { "조리중" }.to_owned());
        line.request =
            line.request.replace("cancellation", "취소").replace("acceptance", "수락").replace("payment", "결제");
    };
    finding.round.iter_mut().flat_map(|story| &mut story.operations).chain(&mut finding.witness).for_each(translated);
    result
}

/// 40 scenarios, 5 findings each, 120 operations each, long words everywhere.
pub(crate) fn huge() -> RunResult {
    let mut result = many(200);
    let long = "가나다라마바사아자차카타파하 ".repeat(40);
    for scenario in &mut result.scenarios {
        scenario.name = format!("{} {long}", scenario.name);
        scenario.script = Some(format!("# {long}\n").repeat(100));
        scenario.doubts = vec![long.clone(); 5];
        for finding in &mut scenario.findings {
            finding.sentence.push_str(&long);
            lengthen(finding, 120);
            let lines = finding.round.iter_mut().flat_map(|story| &mut story.operations);
            for line in lines.chain(&mut finding.witness) {
                line.actor.push_str(&long);
                line.request.push_str(&long);
                line.answer.push_str(&long);
                line.state = Some(long.clone());
                line.token = Some(format!("{long}{}", line.operation));
                line.precondition = line.token.clone();
                line.idempotency_key = line.token.clone();
            }
        }
    }
    result
}
