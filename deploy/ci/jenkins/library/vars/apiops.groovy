// Steps for pipelines of one's own:
//
//   @Library('apiops') _
//   apiops.validate()
//   apiops.plan(target: 'production')
//   apiops.sync(target: 'production', ageKey: 'apiops-age-production')
//
// What is given becomes variables of the step, never text of a script. `manager`, `token` and `ageKey`
// are the ids of credentials: secret texts with the Manager's URL and a token for it, a secret file
// with an age key.

def validate(Map given = Collections.emptyMap()) {
  inside(given) {
    sh '''
      apiops validate -o text -o junit=apiops-validate.xml
    '''
  }
}

def plan(Map given = Collections.emptyMap()) {
  inside(given) {
    sh '''
      apiops plan -o text -o junit=apiops-plan.xml -o markdown=apiops-plan.md --out apiops-plan.json
    '''
  }
}

// The plan that somebody looked at: the file that `plan` wrote, and nothing else.
def apply(Map given = Collections.emptyMap()) {
  inside(given) {
    sh '''
      apiops apply apiops-plan.json -o text -o junit=apiops-apply.xml
    '''
  }
}

def sync(Map given = Collections.emptyMap()) {
  inside(given) {
    sh '''
      apiops sync -o text -o junit=apiops-apply.xml
    '''
  }
}

def drift(Map given = Collections.emptyMap()) {
  inside(given) {
    sh '''
      apiops drift --detailed-exitcode -o text -o junit=apiops-drift.xml
    '''
  }
}

// What a build leaves behind, whatever became of it: call it in `post { always { … } }`.
def report() {
  junit allowEmptyResults: true, testResults: 'apiops-*.xml'
  archiveArtifacts allowEmptyArchive: true, artifacts: 'apiops-plan.*'
}

private void inside(Map given, Closure body) {
  def names = [
    target: 'APIOPS_TARGET', ref: 'APIOPS_REF', allow: 'APIOPS_ALLOW', drift: 'APIOPS_DRIFT',
    deadline: 'APIOPS_DEADLINE', directory: 'APIOPS_DIRECTORY', introduction: 'APIOPS_INTRODUCTION',
    approver: 'APIOPS_APPROVER', pullRequest: 'APIOPS_PULL_REQUEST', comment: 'APIOPS_COMMENT'
  ]
  def secrets = []
  def variables = []
  for (entry in given) {
    if (entry.key == 'manager') {
      secrets.add(string(credentialsId: entry.value, variable: 'APIOPS_MANAGER'))
    } else if (entry.key == 'token') {
      secrets.add(string(credentialsId: entry.value, variable: 'APIOPS_TOKEN'))
    } else if (entry.key == 'ageKey') {
      secrets.add(file(credentialsId: entry.value, variable: 'SOPS_AGE_KEY_FILE'))
    } else if (names.containsKey(entry.key)) {
      variables.add(names[entry.key] + '=' + entry.value)
    } else {
      error('apiops has no option ' + entry.key + ': ' + (names.keySet() + ['manager', 'token', 'ageKey']).join(', '))
    }
  }
  withCredentials(secrets) {
    withEnv(variables) {
      body()
    }
  }
}
