//! moto, the AWS emulator of other people, in the place of AWS: it reads our requests and templates by its own lights.
//! What it lacks is named here, and what the commands make of that is expected exactly.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};

use serde_json::{Value, json};

use crate::harness::{Run, Sandbox, judge};

/// What moto 5.2.5 does not do: what the template has, what the test puts in its place.
const LACKING: &[(&str, &str)] = &[
    // Fn::Cidr: it takes the function for a map with the name as its key.
    ("!Select [0, !Cidr [!Ref VpcCidr, 4, 8]]", "10.0.0.0/24"),
    ("!Select [1, !Cidr [!Ref VpcCidr, 4, 8]]", "10.0.1.0/24"),
    ("!Select [2, !Cidr [!Ref VpcCidr, 4, 8]]", "10.0.2.0/24"),
    ("!Select [3, !Cidr [!Ref VpcCidr, 4, 8]]", "10.0.3.0/24"),
    // Names that it generates for repositories have capital letters, which it then refuses itself.
    ("      EmptyOnDelete: true\n", "      EmptyOnDelete: true\n      RepositoryName: fisstackvpc-repository\n"),
    // RunTask adds up the containers' memory, which Fargate does not ask for.
    ("          Essential: true\n", "          Essential: true\n          Memory: 512\n"),
];

/// A moto server on a free port.
struct Moto {
    sandbox: Sandbox,
    server: Child,
    url: String,
    log: Arc<Mutex<String>>,
}

impl Moto {
    fn start() -> Self {
        let sandbox = Sandbox::new();
        let mut command = Command::new(judge("moto_server"));
        command.env_clear().env("HOME", sandbox.path()).env("PYTHONUNBUFFERED", "1").current_dir(sandbox.path());
        let server = command.args(["-H", "127.0.0.1", "-p", "0"]).stdout(Stdio::null()).stderr(Stdio::piped()).spawn();
        let mut server = server.unwrap();
        let mut lines = BufReader::new(server.stderr.take().unwrap()).lines().map_while(Result::ok);
        let running = |line: String| line.split_once("Running on ").map(|(_, url)| url.trim().to_owned());
        let url = lines.find_map(running).expect("moto says where it runs");
        let log = Arc::new(Mutex::new(String::new()));
        let of_thread = Arc::clone(&log);
        std::thread::spawn(move || lines.for_each(|line| of_thread.lock().unwrap().push_str(&(line + "\n"))));
        Self { sandbox, server, url, log }
    }

    fn on(&self, mut command: Command) -> Run {
        for (name, value) in [
            ("AWS_ENDPOINT_URL", self.url.as_str()),
            ("AWS_ACCESS_KEY_ID", "AKIAIOSFODNN7EXAMPLE"),
            ("AWS_SECRET_ACCESS_KEY", "secret"),
            ("AWS_REGION", "us-east-1"),
            // The AWS CLI, version 1, reads this one.
            ("AWS_DEFAULT_REGION", "us-east-1"),
            ("AWS_EC2_METADATA_DISABLED", "true"),
            ("FIS_WORKSHOP_TARGET", "aws"),
            ("FIS_WORKSHOP_YES", "true"),
        ] {
            command.env(name, value);
        }
        Run::of(command.output().unwrap())
    }

    /// One of our commands, with its exit code.
    fn ours(&self, code: i32, args: &[&str]) -> Run {
        let run = self.on(self.sandbox.command(args));
        assert_eq!(run.code, code, "{args:?}: {run:?}");
        run
    }

    fn json(&self, args: &[&str]) -> Value {
        serde_json::from_str(&self.ours(0, &[args, &["--output", "json"]].concat()).stdout).unwrap()
    }

    /// Makes a stack of a rendered template in which what moto lacks is replaced.
    fn create(&self, template: &str, stack: &str, environment: &str, parameters: &Value) -> Value {
        let mut text = self.sandbox.ok(&["render", template]);
        for (ours, motos) in LACKING {
            text = text.replace(ours, motos);
        }
        let tags = json!([{"Key": "fis-workshop:environment", "Value": environment}]);
        let input = json!({
            "StackName": stack, "TemplateBody": text, "Tags": tags, "Parameters": parameters,
            "Capabilities": ["CAPABILITY_IAM"],
        });
        self.aws(&["create-stack", "--cli-input-json", &input.to_string()]);
        let answer = self.aws(&["describe-stacks", "--stack-name", stack]);
        let outputs = answer["Stacks"][0]["Outputs"].as_array().unwrap_or_else(|| panic!("{answer}"));
        outputs.iter().map(|o| (o["OutputKey"].as_str().unwrap().to_owned(), o["OutputValue"].clone())).collect()
    }

    fn aws(&self, args: &[&str]) -> Value {
        let mut command = Command::new(judge("aws"));
        command.env_clear().env("HOME", self.sandbox.path()).current_dir(self.sandbox.path());
        let run = self.on({
            command.args(["--output", "json", "cloudformation"]).args(args);
            command
        });
        assert_eq!(run.code, 0, "{args:?}: {run:?}");
        serde_json::from_str(&run.stdout).unwrap()
    }

    fn has_logged(&self, text: &str) -> bool {
        self.log.lock().unwrap().contains(text)
    }
}

impl Drop for Moto {
    fn drop(&mut self) {
        // A test that fails has said why already.
        let _ = self.server.kill().and_then(|()| self.server.wait());
    }
}

#[test]
fn moto_plans_what_the_endpoint_plans() {
    let moto = Moto::start();
    let endpoint = Sandbox::with_endpoint();
    let changes = |plan: &Value, stack: usize| {
        let changes = plan["stacks"][stack]["changes"].as_array().unwrap().iter();
        changes
            .map(|change| change["logical_id"].as_str().unwrap().to_owned())
            .collect::<std::collections::BTreeSet<_>>()
    };
    let (motos, ours) = (moto.json(&["plan"]), endpoint.json(&["plan"]));
    assert_eq!(changes(&motos, 1), changes(&ours, 1));
    // Lacking: conditions of resources in a change set.
    let conditional = ["EcrApiEndpoint", "EcrDkrEndpoint", "EndpointSecurityGroup", "LogsEndpoint", "SqsEndpoint"];
    let more: Vec<_> = changes(&motos, 0).difference(&changes(&ours, 0)).cloned().collect();
    assert_eq!(more, conditional);
    assert!(changes(&motos, 0).is_superset(&changes(&ours, 0)));
    // A plan leaves nothing behind.
    assert_eq!(moto.json(&["status"])["stacks"][0]["status"], Value::Null);
    assert_eq!(moto.json(&["down"])["survivors"], json!([]));
}

#[test]
fn up_says_that_moto_makes_a_network_without_outputs() {
    let moto = Moto::start();
    let run = moto.ours(1, &["up"]);
    // Lacking: Fn::Cidr. moto calls the stack complete, and has made nothing of it.
    assert!(run.stderr.contains(
        "error: The stack FisStackVpc (CREATE_COMPLETE) has no output PrivateSubnetIds.\n  hint: `fis-workshop up` completes or updates it.\n"
    ), "{run:?}");
    assert!(run.stderr.ends_with("`fis-workshop down` takes it down when nothing else is in it.\n"), "{run:?}");
    assert_eq!(moto.json(&["status"])["stacks"][0]["status"], "CREATE_COMPLETE");
    let down = moto.json(&["down"]);
    assert_eq!((&down["deleted_stacks"], &down["survivors"]), (&json!(["FisStackVpc"]), &json!([])));
}

#[test]
fn the_lab_works_in_moto_as_far_as_moto_goes() {
    let moto = Moto::start();
    let network = moto.create("network", "FisStackVpc", "@network", &json!([]));
    let uri = network["RepositoryUri"].as_str().unwrap();
    let parameters = [
        ("SubnetIds", &network["PrivateSubnetIds"]),
        ("SecurityGroupId", &network["TaskSecurityGroupId"]),
        ("RepositoryArn", &network["RepositoryArn"]),
        ("OriginalImageUri", &json!(format!("{uri}:original"))),
        ("ImprovedImageUri", &json!(format!("{uri}:improved"))),
        ("WatchdogImageUri", &json!(format!("{uri}:watchdog"))),
        ("QueueImageUri", &json!(format!("{uri}:queue"))),
    ];
    let parameters = parameters.map(|(key, value)| json!({"ParameterKey": key, "ParameterValue": value}));
    let workshop = moto.create("workshop", "FisStopTaskStack", "default", &json!(parameters));
    assert_eq!(workshop["ClusterName"], "FisStackECS-Cluster");

    // Lacking: AWS::FIS::ExperimentTemplate, and the service itself.
    assert!(moto.has_logged("No Moto CloudFormation support for AWS::FIS::ExperimentTemplate"));
    for args in [["status"], ["interrupt"]] {
        let run = moto.ours(1, &args);
        assert!(run.stderr.contains("(CREATE_COMPLETE) has no output ExperimentTemplateId."), "{run:?}");
    }

    let arn = moto.ours(0, &["run", "original", "--detach"]).stdout;
    let second = moto.ours(1, &["run", "original"]);
    assert!(second.stderr.contains("runs in this environment already"), "{second:?}");
    assert_eq!(moto.json(&["items"])["missing"].as_array().unwrap().len(), 10);
    // Lacking: a task is no process, and writes nothing; of a stream that is missing, moto says that its group is.
    let logs = moto.ours(1, &["logs", "original"]);
    assert!(logs.stderr.contains("The specified log group does not exist."), "{logs:?}");
    assert_eq!(moto.json(&["clear"])["deleted"], 0);

    // Lacking: moto deletes a VPC before what is in it, fails, and forgets the stack.
    let down = moto.ours(1, &["down"]);
    let stopped = arn.trim().rsplit('/').next().unwrap();
    assert!(down.stderr.contains(&format!("Stopped the task {stopped}.")), "{down:?}");
    assert!(down.stderr.contains("cause: DependencyViolation: "), "{down:?}");
    // No stack is there any more, and yet nothing is overlooked.
    let down = moto.ours(4, &["down"]);
    for survivor in ["VPC vpc-", "internet gateway igw-", "NAT gateway nat-", "about $0.045 an hour"] {
        assert!(down.stdout.contains(survivor), "{survivor}: {down:?}");
    }
    assert!(down.stderr.contains("have survived"), "{down:?}");
}
