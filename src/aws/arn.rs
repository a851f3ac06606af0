//! Parts of ARNs.

/// The id of a task: the last part of its ARN, in both ARN formats.
pub(crate) fn task_id(task_arn: &str) -> &str {
    last_part(task_arn)
}

/// As much of the id as people need to tell tasks apart.
pub(crate) fn short_id(task_arn: &str) -> &str {
    let id = task_id(task_arn);
    id.get(..8).unwrap_or(id)
}

/// What comes after the last slash: a cluster's name, a task's id, `family:revision` of a task definition.
pub(crate) fn last_part(arn: &str) -> &str {
    arn.rsplit('/').next().unwrap_or(arn)
}

/// The family of a task definition, by its ARN or `family:revision`.
pub(crate) fn family(task_definition: &str) -> &str {
    let name = last_part(task_definition);
    name.split_once(':').map_or(name, |(family, _)| family)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_task_id_is_the_last_part_of_its_arn() {
        assert_eq!(task_id("arn:aws:ecs:us-east-1:000000000000:task/FisStackECS-Cluster/0f3a"), "0f3a");
        assert_eq!(task_id("0f3a"), "0f3a");
    }

    #[test]
    fn a_family_is_told_with_and_without_the_rest_of_the_arn() {
        let arn = "arn:aws:ecs:eu-west-1:123456789012:task-definition/FisStopTaskStackTaskDef:7";
        assert_eq!(family(arn), "FisStopTaskStackTaskDef");
        assert_eq!(family("FisStopTaskStackTaskDef:7"), "FisStopTaskStackTaskDef");
        assert_eq!(family("FisStopTaskStackTaskDef"), "FisStopTaskStackTaskDef");
    }
}
