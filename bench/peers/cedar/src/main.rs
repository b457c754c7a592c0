//! Decides the generated requests with Cedar, in process: `is_authorized` over a policy set parsed before, with request
//! and entities built before. scripts/bench-peers says what it reads and answers.
use cedar_policy::*;
use std::collections::{HashMap, HashSet};
use std::io::{BufRead, Write};
use std::rc::Rc;
use std::time::Instant;
use std::{env, fs, io};

struct Prepared {
    request: Request,
    entities: Rc<Entities>,
}

fn uid(kind: &str, id: &str) -> EntityUid {
    EntityUid::from_type_name_and_id(kind.parse().unwrap(), EntityId::new(id))
}

/// The agent with its department, and the roles that it is in.
fn agent_entities(agent: &EntityUid, department: &str, roles: &str) -> Entities {
    let roles: HashSet<EntityUid> = roles.split(',').map(|role| uid("Role", role)).collect();
    let attributes = HashMap::from([(
        "department".to_string(),
        RestrictedExpression::new_string(department.to_string()),
    )]);
    let mut all: Vec<Entity> = roles
        .iter()
        .map(|role| Entity::new_no_attrs(role.clone(), HashSet::new()))
        .collect();
    all.push(Entity::new(agent.clone(), attributes, roles).unwrap());
    Entities::from_entities(all, None).unwrap()
}

fn read_requests(path: &str) -> Vec<Prepared> {
    let mut agents: HashMap<String, Rc<Entities>> = HashMap::new();
    let mut out = Vec::new();
    for line in fs::read_to_string(path).unwrap().lines() {
        let [agent, department, roles, action, sensitivity, kind] = line
            .split('\t')
            .collect::<Vec<_>>()
            .try_into()
            .expect("six columns");
        let principal = uid("Agent", agent);
        let entities = agents
            .entry(agent.to_string())
            .or_insert_with(|| Rc::new(agent_entities(&principal, department, roles)));
        let context = Context::from_pairs([(
            "sensitivity".to_string(),
            RestrictedExpression::new_long(sensitivity.parse().unwrap()),
        )]);
        let request = Request::new(
            principal,
            uid("Action", action),
            uid(kind, "one"),
            context.unwrap(),
            None,
        );
        out.push(Prepared {
            request: request.unwrap(),
            entities: entities.clone(),
        });
    }
    out
}

fn main() {
    let directory = env::args().nth(1).expect("usage: cedar_peer DIRECTORY");
    let requests = read_requests(&format!("{directory}/requests.tsv"));
    let text = fs::read_to_string(format!("{directory}/rules.cedar")).unwrap();
    let start = Instant::now();
    let policies: PolicySet = text.parse().unwrap();
    let authorizer = Authorizer::new();
    let decide = |one: &Prepared| {
        authorizer
            .is_authorized(&one.request, &policies, &one.entities)
            .decision()
            == Decision::Allow
    };
    decide(&requests[0]);
    println!("ready {:.1}", start.elapsed().as_secs_f64() * 1e3);

    let mut next = 0;
    for line in io::stdin().lock().lines() {
        let line = line.unwrap();
        if line == "check" {
            println!(
                "{}",
                requests
                    .iter()
                    .map(|one| if decide(one) { 'A' } else { 'D' })
                    .collect::<String>()
            );
        } else {
            let words: Vec<&str> = line.split(' ').collect(); // "round SECONDS BATCH"
            let (seconds, batch): (f64, usize) =
                (words[1].parse().unwrap(), words[2].parse().unwrap());
            let (mut samples, round, mut allowed) = (Vec::new(), Instant::now(), 0u64);
            while samples.is_empty() || round.elapsed().as_secs_f64() < seconds {
                let start = Instant::now();
                for _ in 0..batch {
                    allowed += decide(&requests[next]) as u64;
                    next = (next + 1) % requests.len();
                }
                samples.push(start.elapsed().as_nanos() as f64 / batch as f64);
            }
            std::hint::black_box(allowed);
            samples.sort_by(f64::total_cmp);
            println!("{:.1}", samples[samples.len() / 2]);
        }
        io::stdout().flush().unwrap();
    }
}
