//! What Fargate accepts of a task definition, in AWS's words where they are known.

use super::input::{ContainerDefinition, KeyValuePair, LogConfiguration, RegisterTaskDefinition, RuntimePlatform};
use crate::ecs::refusal::client_error;
use crate::endpoint::Endpoint;
use crate::error::ApiError;

/// Options of the `awslogs` driver that have a meaning here.
const LOG_OPTIONS: &[&str] =
    &["awslogs-create-group", "awslogs-group", "awslogs-region", "awslogs-stream-prefix", "max-buffer-size", "mode"];

/// Options that the driver has on AWS and not here.
const REFUSED_LOG_OPTIONS: &[&str] = &["awslogs-datetime-format", "awslogs-multiline-pattern"];

pub(in crate::ecs) fn validate(endpoint: &Endpoint, input: &RegisterTaskDefinition) -> Result<(), ApiError> {
    let allowed = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    if input.family.is_empty() || input.family.len() > 255 || !input.family.chars().all(allowed) {
        return Err(client_error(
            "Family should not be null or empty, and may have up to 255 letters (uppercase and lowercase), numbers, hyphens, and underscores.",
        ));
    }
    if !input.requires_compatibilities.iter().any(|launch_type| launch_type == "FARGATE") {
        return Err(ApiError::unsupported("A task definition whose requiresCompatibilities lacks FARGATE"));
    }
    if input.network_mode.as_deref() != Some("awsvpc") {
        return Err(client_error("Fargate only supports network mode 'awsvpc'."));
    }
    match (&input.cpu, &input.memory) {
        (Some(_), Some(_)) => {}
        (None, _) => return Err(client_error("Fargate requires that 'cpu' be defined at the task level.")),
        (_, None) => return Err(client_error("Fargate requires that 'memory' be defined at the task level.")),
    }
    let cpu_and_memory = (input.cpu.as_deref().unwrap_or_default(), input.memory.as_deref().unwrap_or_default());
    let size = fargate_size(cpu_and_memory.0, cpu_and_memory.1)?;
    platform(input.runtime_platform.as_ref())?;
    match input.container_definitions.as_slice() {
        [] => Err(client_error("Container list cannot be empty.")),
        [one] => container(endpoint, input, one).and_then(|()| fits(size, one)),
        _ => Err(ApiError::unsupported("A task definition with more than one of containerDefinitions")),
    }
}

fn platform(platform: Option<&RuntimePlatform>) -> Result<(), ApiError> {
    let Some(platform) = platform else { return Ok(()) };
    match platform.cpu_architecture.as_deref() {
        None | Some("X86_64" | "ARM64") => {}
        Some(other) => return Err(client_error(format!("Invalid cpuArchitecture: {other}"))),
    }
    match platform.operating_system_family.as_deref() {
        None | Some("LINUX") => Ok(()),
        Some(other) => Err(ApiError::unsupported(format!("The operatingSystemFamily {other}"))),
    }
}

fn container(
    endpoint: &Endpoint,
    input: &RegisterTaskDefinition,
    container: &ContainerDefinition,
) -> Result<(), ApiError> {
    let allowed = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    if container.name.is_empty() || container.name.len() > 255 || !container.name.chars().all(allowed) {
        return Err(client_error("Container.name should not be null or empty."));
    }
    if container.image.trim().is_empty() {
        return Err(client_error("Container.image should not be null or empty."));
    }
    if container.image.contains(|character: char| character.is_control() || character.is_whitespace()) {
        return Err(client_error("Container.image contains invalid characters."));
    }
    if !container.essential {
        return Err(client_error("At least one container must be essential: the task definition has none."));
    }
    if !container.environment.iter().all(KeyValuePair::is_variable) {
        return Err(client_error("Environment variable names should not be null, empty, or have an equals sign."));
    }
    if container.port_mappings.iter().any(|port| port.host_port.is_some_and(|host| host != port.container_port)) {
        return Err(client_error(
            "When networkMode=awsvpc, the host ports and container ports in port mappings must match.",
        ));
    }
    // -1 is how some tools write "not set"; ECS takes 2 to 120 on Fargate.
    if container.stop_timeout.is_some_and(|seconds| !(2..=120).contains(&seconds)) {
        return Err(client_error(format!(
            "Invalid 'stopTimeout' setting for container '{}': on Fargate it must be between 2 and 120 seconds.",
            container.name
        )));
    }
    let role = |what: &str| {
        client_error(format!("Fargate requires task definition to have execution role ARN to support {what}."))
    };
    if let Some(log) = &container.log_configuration {
        logs(endpoint, log)?;
        if input.execution_role_arn.is_none() {
            return Err(role("log driver awslogs"));
        }
    }
    if container.image.contains(".dkr.ecr.") && input.execution_role_arn.is_none() {
        return Err(role("ECR images"));
    }
    Ok(())
}

/// What a container may have of the size of its task.
fn fits((cpu, memory): (u32, u32), container: &ContainerDefinition) -> Result<(), ApiError> {
    let ContainerDefinition { name, .. } = container;
    let is_more = |asked: Option<i64>| asked.is_some_and(|asked| asked > i64::from(memory));
    for (member, asked) in [("memory", container.memory), ("memoryReservation", container.memory_reservation)] {
        if asked.is_some_and(|asked| asked < 6) {
            return Err(client_error(format!(
                "Invalid setting for container '{name}'. The value for '{member}' must be at least 6."
            )));
        }
        if is_more(asked) {
            return Err(client_error(format!(
                "The '{member}' setting for container '{name}' is greater than for the task."
            )));
        }
    }
    if container.memory.zip(container.memory_reservation).is_some_and(|(memory, reserved)| reserved > memory) {
        return Err(client_error(format!(
            "Invalid setting for container '{name}'. The 'memory' setting must be greater than or equal to 'memoryReservation'."
        )));
    }
    if container.cpu > i64::from(cpu) {
        return Err(client_error(
            "The sum of all container 'cpu' values cannot be greater than the value of the task 'cpu'.",
        ));
    }
    Ok(())
}

fn logs(endpoint: &Endpoint, log: &LogConfiguration) -> Result<(), ApiError> {
    if log.log_driver != "awslogs" {
        return Err(ApiError::unsupported(format!("The log driver {}", log.log_driver)));
    }
    for option in log.options.keys() {
        if REFUSED_LOG_OPTIONS.contains(&option.as_str()) {
            return Err(ApiError::unsupported(format!("The option {option} of the log driver awslogs")));
        }
        if !LOG_OPTIONS.contains(&option.as_str()) {
            return Err(client_error(format!("Log driver awslogs disallows options: {option}")));
        }
    }
    let missing: Vec<&str> =
        ["awslogs-region", "awslogs-group"].into_iter().filter(|name| log.option(name).is_empty()).collect();
    if !missing.is_empty() {
        return Err(client_error(format!("Log driver awslogs requires options: {}", missing.join(", "))));
    }
    if log.option("awslogs-stream-prefix").is_empty() {
        return Err(client_error(
            "Fargate requires log configuration options to include awslogs-stream-prefix to support log driver awslogs.",
        ));
    }
    if log.option("awslogs-region") != endpoint.identity.region {
        return Err(ApiError::unsupported(format!(
            "The awslogs-region {}: this endpoint is {}, and another one",
            log.option("awslogs-region"),
            endpoint.identity.region
        )));
    }
    let is_of_group = |c: char| c.is_ascii_alphanumeric() || "_-/.#".contains(c);
    if !log.option("awslogs-group").chars().all(is_of_group) {
        return Err(client_error("Log driver awslogs option 'awslogs-group' contains invalid characters."));
    }
    if log.option("awslogs-create-group") == "true" {
        return Err(ApiError::unsupported("The option awslogs-create-group of the log driver awslogs"));
    }
    // Both modes are one here: no line is lost, and a program that is far ahead of its log waits, as in `blocking`.
    if !matches!(log.option("mode"), "" | "blocking" | "non-blocking") {
        return Err(client_error(format!("Invalid value for log option mode: {}", log.option("mode"))));
    }
    let size = log.option("max-buffer-size");
    let digits = size.trim_end_matches(['k', 'm', 'g', 'K', 'M', 'G', 'b', 'B']);
    if !size.is_empty() && (digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit())) {
        return Err(client_error(format!("Invalid value for log option max-buffer-size: {size}")));
    }
    Ok(())
}

/// The task size in CPU units and MiB, from `256` or `.25 vCPU` and `512` or `0.5 GB`.
///
/// # Errors
/// When Fargate has no such size.
pub(crate) fn fargate_size(cpu: &str, memory: &str) -> Result<(u32, u32), ApiError> {
    let units = units(cpu, "vcpu");
    let Some(units) = units else {
        return Err(client_error(
            "Invalid 'cpu' setting for task. For more information, see the Troubleshooting section of the Amazon ECS Developer Guide.",
        ));
    };
    let Some(mib) = self::units(memory, "gb") else {
        return Err(client_error("Invalid 'memory' setting for task."));
    };
    let fits = match units {
        256 => matches!(mib, 512 | 1024 | 2048),
        512 => step(mib, 1, 4, 1),
        1024 => step(mib, 2, 8, 1),
        2048 => step(mib, 4, 16, 1),
        4096 => step(mib, 8, 30, 1),
        8192 => step(mib, 16, 60, 4),
        16384 => step(mib, 32, 120, 8),
        _ => false,
    };
    if fits {
        Ok((units, mib))
    } else {
        Err(client_error(format!("No Fargate configuration exists for given values: {units} CPU, {mib} memory")))
    }
}

/// 1024ths: a plain number is one already, a number with its unit is 1024 of them.
fn units(text: &str, unit: &str) -> Option<u32> {
    let text = text.trim().to_ascii_lowercase();
    match text.strip_suffix(unit) {
        Some(number) => {
            let number: f64 = number.trim().parse().ok()?;
            // Sizes are far below 2^32, and what is not a whole number of units is no size.
            let units = number * 1024.0;
            (units.fract() == 0.0 && (0.0..=1e9).contains(&units)).then_some(units as u32)
        }
        None => text.parse().ok(),
    }
}

fn step(mib: u32, from_gib: u32, to_gib: u32, step_gib: u32) -> bool {
    (from_gib * 1024..=to_gib * 1024).contains(&mib) && (mib - from_gib * 1024).is_multiple_of(step_gib * 1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_those_of_fargate() {
        for (cpu, memory, size) in [
            ("256", "512", (256, 512)),
            (".25 vCPU", "0.5GB", (256, 512)),
            ("1 vcpu", "8 gb", (1024, 8192)),
            ("8192", "20480", (8192, 20480)),
        ] {
            assert_eq!(fargate_size(cpu, memory).unwrap(), size);
        }
        for (cpu, memory) in [("256", "4096"), ("128", "512"), ("8192", "17408"), ("512", "1025"), ("1024", "1024")] {
            let message = fargate_size(cpu, memory).unwrap_err().message;
            assert!(message.starts_with("No Fargate configuration exists for given values"), "{message}");
        }
        assert!(fargate_size("x", "512").unwrap_err().message.contains("'cpu'"));
        assert!(fargate_size("256", "-1 GB").unwrap_err().message.contains("'memory'"));
    }

    #[test]
    fn a_container_has_at_most_what_its_task_has() {
        let judge = |members: serde_json::Value| {
            let mut container = serde_json::json!({"name": "worker", "image": "i"});
            container.as_object_mut().unwrap().extend(members.as_object().unwrap().clone());
            let container: ContainerDefinition = serde_json::from_value(container).unwrap();
            fits((256, 512), &container).map_err(|error| error.message)
        };
        for members in [
            serde_json::json!({}),
            serde_json::json!({"cpu": 256, "memory": 512, "memoryReservation": 512}),
            serde_json::json!({"memoryReservation": 6}),
        ] {
            assert_eq!(judge(members), Ok(()));
        }
        for (members, words) in [
            (
                serde_json::json!({"memory": 513}),
                "The 'memory' setting for container 'worker' is greater than for the task.",
            ),
            (serde_json::json!({"memoryReservation": 513}), "The 'memoryReservation' setting for container 'worker'"),
            (
                serde_json::json!({"memory": 256, "memoryReservation": 257}),
                "greater than or equal to 'memoryReservation'",
            ),
            (serde_json::json!({"memory": 5}), "must be at least 6"),
            (serde_json::json!({"cpu": 257}), "The sum of all container 'cpu' values cannot be greater than"),
        ] {
            assert!(judge(members).unwrap_err().contains(words), "{words}");
        }
    }
}
