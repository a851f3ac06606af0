//! From HTTP method and path to an operation.

use crate::wire::{Rest, Route};

/// Operations that the service does not do are here so that they are refused by their names.
pub(super) static REST: Rest = Rest {
    routes: &[
        Route::new("POST", "experimentTemplates", "CreateExperimentTemplate"),
        Route::new("GET", "experimentTemplates", "ListExperimentTemplates"),
        Route::new("GET", "experimentTemplates/{id}", "GetExperimentTemplate"),
        Route::new("PATCH", "experimentTemplates/{id}", "UpdateExperimentTemplate"),
        Route::new("DELETE", "experimentTemplates/{id}", "DeleteExperimentTemplate"),
        Route::new("GET", "experimentTemplates/{id}/targetAccountConfigurations", "ListTargetAccountConfigurations"),
        Route::new(
            "POST",
            "experimentTemplates/{id}/targetAccountConfigurations/{accountId}",
            "CreateTargetAccountConfiguration",
        ),
        Route::new(
            "GET",
            "experimentTemplates/{id}/targetAccountConfigurations/{accountId}",
            "GetTargetAccountConfiguration",
        ),
        Route::new(
            "PATCH",
            "experimentTemplates/{id}/targetAccountConfigurations/{accountId}",
            "UpdateTargetAccountConfiguration",
        ),
        Route::new(
            "DELETE",
            "experimentTemplates/{id}/targetAccountConfigurations/{accountId}",
            "DeleteTargetAccountConfiguration",
        ),
        Route::new("POST", "experiments", "StartExperiment"),
        Route::new("GET", "experiments", "ListExperiments"),
        Route::new("GET", "experiments/{id}", "GetExperiment"),
        // The experiment is stopped, and stays.
        Route::new("DELETE", "experiments/{id}", "StopExperiment"),
        Route::new("GET", "experiments/{experimentId}/resolvedTargets", "ListExperimentResolvedTargets"),
        Route::new(
            "GET",
            "experiments/{experimentId}/targetAccountConfigurations",
            "ListExperimentTargetAccountConfigurations",
        ),
        Route::new(
            "GET",
            "experiments/{experimentId}/targetAccountConfigurations/{accountId}",
            "GetExperimentTargetAccountConfiguration",
        ),
        Route::new("GET", "actions", "ListActions"),
        Route::new("GET", "actions/{id}", "GetAction"),
        Route::new("GET", "targetResourceTypes", "ListTargetResourceTypes"),
        Route::new("GET", "targetResourceTypes/{resourceType}", "GetTargetResourceType"),
        Route::new("GET", "safetyLevers/{id}", "GetSafetyLever"),
        Route::new("PATCH", "safetyLevers/{id}/state", "UpdateSafetyLeverState"),
        Route::new("GET", "tags/{resourceArn}", "ListTagsForResource"),
        Route::new("POST", "tags/{resourceArn}", "TagResource"),
        Route::new("DELETE", "tags/{resourceArn}", "UntagResource"),
    ],
    lists: &["tagKeys"],
    numbers: &["maxResults"],
};
