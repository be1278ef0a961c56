-- The audit walls on SQLite.
--
-- Every changed row of a governed table makes its own audit entry here, in the database, in the
-- same transaction. The entry's who and why come from the ticket that apiops holds open on its
-- connection: apiops_ticket() is a function of that connection, so a stranger's write fails with
-- "no such function", and apiops' own write without a ticket fails with AU001.

-- Capture triggers insert here; nobody else may (the connection's authorizer refuses it).
CREATE VIEW audit_capture AS
SELECT action, kind, project, name, environment, outcome, before, after, note
FROM audit_entry WHERE 0;

CREATE TRIGGER audit_capture_recorded INSTEAD OF INSERT ON audit_capture BEGIN
  SELECT RAISE(ABORT, 'AU001: a write without an audit ticket')
  WHERE apiops_ticket('run') IS NULL;
  INSERT INTO audit_entry (
    seq, at, actor, principal, tier, action, kind, project, name, environment, outcome,
    before, after, note, reason, run, source, address, login, previous, digest
  )
  SELECT
    seq, at, actor, principal, tier,
    NEW.action, NEW.kind, NEW.project, NEW.name, NEW.environment, NEW.outcome,
    NEW.before, NEW.after, NEW.note, reason, run, source, address, '', previous,
    apiops_digest(
      seq, at, actor, principal, tier,
      NEW.action, NEW.kind, NEW.project, NEW.name, NEW.environment, NEW.outcome,
      NEW.before, NEW.after, NEW.note, reason, run, source, address, '', previous
    )
  FROM (
    SELECT
      coalesce((SELECT max(seq) FROM audit_entry), 0) + 1 AS seq,
      coalesce((SELECT digest FROM audit_entry ORDER BY seq DESC LIMIT 1), '') AS previous,
      apiops_ticket('at') AS at,
      apiops_ticket('actor') AS actor,
      apiops_ticket('principal') AS principal,
      apiops_ticket('tier') AS tier,
      apiops_ticket('reason') AS reason,
      apiops_ticket('run') AS run,
      apiops_ticket('source') AS source,
      apiops_ticket('address') AS address
  );
END;

-- What happened without changing a row: a denied attempt, the reading of a secret.
CREATE VIEW audit_event AS
SELECT action, kind, project, name, environment, outcome, before, after, note
FROM audit_entry WHERE 0;

CREATE TRIGGER audit_event_recorded INSTEAD OF INSERT ON audit_event BEGIN
  SELECT RAISE(ABORT, 'AU002: an event cannot claim that a row was changed')
  WHERE NEW.outcome = 'done' OR NEW.before IS NOT NULL OR NEW.after IS NOT NULL;
  INSERT INTO audit_capture (action, kind, project, name, environment, outcome, note)
  VALUES (NEW.action, NEW.kind, NEW.project, NEW.name, NEW.environment, NEW.outcome, NEW.note);
END;

-- The log is append-only, in order, each entry chained to the one before it.
CREATE TRIGGER audit_entry_in_order BEFORE INSERT ON audit_entry BEGIN
  SELECT RAISE(ABORT, 'AU001: a write without an audit ticket')
  WHERE apiops_ticket('run') IS NULL;
  SELECT RAISE(ABORT, 'AU002: the audit log only grows at its end')
  WHERE NEW.seq IS NOT coalesce((SELECT max(seq) FROM audit_entry), 0) + 1
  OR NEW.previous IS NOT coalesce(
    (SELECT digest FROM audit_entry ORDER BY seq DESC LIMIT 1), ''
  );
END;

CREATE TRIGGER audit_entry_never_updated BEFORE UPDATE ON audit_entry BEGIN
  SELECT RAISE(ABORT, 'AU002: the audit log is append-only');
END;

CREATE TRIGGER audit_entry_never_deleted BEFORE DELETE ON audit_entry BEGIN
  SELECT RAISE(ABORT, 'AU002: the audit log is append-only');
END;

-- meta

CREATE TRIGGER meta_inserted AFTER INSERT ON meta BEGIN
  INSERT INTO audit_capture (action, outcome, after) VALUES (
    'initialise', 'done',
    json_object('lineage', NEW.lineage, 'trust', NEW.trust, 'created', NEW.created)
  );
END;

CREATE TRIGGER meta_updated AFTER UPDATE ON meta BEGIN
  INSERT INTO audit_capture (action, outcome, before, after) VALUES (
    'configure', 'done',
    json_object('lineage', OLD.lineage, 'trust', OLD.trust, 'created', OLD.created),
    json_object('lineage', NEW.lineage, 'trust', NEW.trust, 'created', NEW.created)
  );
END;

CREATE TRIGGER meta_never_deleted BEFORE DELETE ON meta BEGIN
  SELECT RAISE(ABORT, 'AU002: a Manager keeps its lineage');
END;

-- resource

CREATE TRIGGER resource_inserted AFTER INSERT ON resource BEGIN
  INSERT INTO audit_capture (action, kind, project, name, outcome, after) VALUES (
    'create', NEW.kind, NEW.project, NEW.name, 'done',
    json_object(
      'id', NEW.id, 'kind', NEW.kind, 'project', NEW.project, 'name', NEW.name,
      'spec', json(NEW.spec), 'labels', json(NEW.labels),
      'protected', json(CASE NEW.protected WHEN 1 THEN 'true' ELSE 'false' END),
      'digest', NEW.digest, 'serial', NEW.serial, 'owner', NEW.owner, 'applied', json(NEW.applied)
    )
  );
END;

CREATE TRIGGER resource_updated AFTER UPDATE ON resource BEGIN
  INSERT INTO audit_capture (action, kind, project, name, outcome, before, after) VALUES (
    'update', NEW.kind, NEW.project, NEW.name, 'done',
    json_object(
      'id', OLD.id, 'kind', OLD.kind, 'project', OLD.project, 'name', OLD.name,
      'spec', json(OLD.spec), 'labels', json(OLD.labels),
      'protected', json(CASE OLD.protected WHEN 1 THEN 'true' ELSE 'false' END),
      'digest', OLD.digest, 'serial', OLD.serial, 'owner', OLD.owner, 'applied', json(OLD.applied)
    ),
    json_object(
      'id', NEW.id, 'kind', NEW.kind, 'project', NEW.project, 'name', NEW.name,
      'spec', json(NEW.spec), 'labels', json(NEW.labels),
      'protected', json(CASE NEW.protected WHEN 1 THEN 'true' ELSE 'false' END),
      'digest', NEW.digest, 'serial', NEW.serial, 'owner', NEW.owner, 'applied', json(NEW.applied)
    )
  );
END;

CREATE TRIGGER resource_deleted AFTER DELETE ON resource BEGIN
  INSERT INTO audit_capture (action, kind, project, name, outcome, before) VALUES (
    'delete', OLD.kind, OLD.project, OLD.name, 'done',
    json_object(
      'id', OLD.id, 'kind', OLD.kind, 'project', OLD.project, 'name', OLD.name,
      'spec', json(OLD.spec), 'labels', json(OLD.labels),
      'protected', json(CASE OLD.protected WHEN 1 THEN 'true' ELSE 'false' END),
      'digest', OLD.digest, 'serial', OLD.serial, 'owner', OLD.owner, 'applied', json(OLD.applied)
    )
  );
END;

-- sealed: the token is never in an entry, its fingerprint is

CREATE TRIGGER sealed_inserted AFTER INSERT ON sealed BEGIN
  INSERT INTO audit_capture (action, kind, project, name, environment, outcome, after)
  SELECT
    'seal', kind, project, name, NEW.environment, 'done',
    json_object(
      'resource', NEW.resource, 'pointer', NEW.pointer, 'environment', NEW.environment,
      'kid', NEW.kid, 'fingerprint', NEW.fingerprint
    )
  FROM (SELECT NEW.resource AS id) LEFT JOIN resource USING (id);
END;

CREATE TRIGGER sealed_updated AFTER UPDATE ON sealed BEGIN
  INSERT INTO audit_capture (action, kind, project, name, environment, outcome, before, after)
  SELECT
    'reseal', kind, project, name, NEW.environment, 'done',
    json_object(
      'resource', OLD.resource, 'pointer', OLD.pointer, 'environment', OLD.environment,
      'kid', OLD.kid, 'fingerprint', OLD.fingerprint
    ),
    json_object(
      'resource', NEW.resource, 'pointer', NEW.pointer, 'environment', NEW.environment,
      'kid', NEW.kid, 'fingerprint', NEW.fingerprint
    )
  FROM (SELECT NEW.resource AS id) LEFT JOIN resource USING (id);
END;

CREATE TRIGGER sealed_deleted AFTER DELETE ON sealed BEGIN
  INSERT INTO audit_capture (action, kind, project, name, environment, outcome, before)
  SELECT
    'unseal', kind, project, name, OLD.environment, 'done',
    json_object(
      'resource', OLD.resource, 'pointer', OLD.pointer, 'environment', OLD.environment,
      'kid', OLD.kid, 'fingerprint', OLD.fingerprint
    )
  FROM (SELECT OLD.resource AS id) LEFT JOIN resource USING (id);
END;

-- deployment

CREATE TRIGGER deployment_inserted AFTER INSERT ON deployment BEGIN
  INSERT INTO audit_capture (action, kind, project, name, environment, outcome, after)
  SELECT
    CASE NEW.active WHEN 1 THEN 'deploy' ELSE 'undeploy' END,
    kind, project, name, NEW.environment, 'done',
    json_object(
      'resource', NEW.resource, 'environment', NEW.environment,
      'active', json(CASE NEW.active WHEN 1 THEN 'true' ELSE 'false' END),
      'persistent', json(CASE NEW.persistent WHEN 1 THEN 'true' WHEN 0 THEN 'false' END),
      'digest', NEW.digest, 'revision', NEW.revision, 'serial', NEW.serial
    )
  FROM (SELECT NEW.resource AS id) LEFT JOIN resource USING (id);
END;

CREATE TRIGGER deployment_updated AFTER UPDATE ON deployment BEGIN
  INSERT INTO audit_capture (action, kind, project, name, environment, outcome, before, after)
  SELECT
    CASE NEW.active WHEN 1 THEN 'deploy' ELSE 'undeploy' END,
    kind, project, name, NEW.environment, 'done',
    json_object(
      'resource', OLD.resource, 'environment', OLD.environment,
      'active', json(CASE OLD.active WHEN 1 THEN 'true' ELSE 'false' END),
      'persistent', json(CASE OLD.persistent WHEN 1 THEN 'true' WHEN 0 THEN 'false' END),
      'digest', OLD.digest, 'revision', OLD.revision, 'serial', OLD.serial
    ),
    json_object(
      'resource', NEW.resource, 'environment', NEW.environment,
      'active', json(CASE NEW.active WHEN 1 THEN 'true' ELSE 'false' END),
      'persistent', json(CASE NEW.persistent WHEN 1 THEN 'true' WHEN 0 THEN 'false' END),
      'digest', NEW.digest, 'revision', NEW.revision, 'serial', NEW.serial
    )
  FROM (SELECT NEW.resource AS id) LEFT JOIN resource USING (id);
END;

CREATE TRIGGER deployment_deleted AFTER DELETE ON deployment BEGIN
  INSERT INTO audit_capture (action, kind, project, name, environment, outcome, before)
  SELECT
    CASE OLD.active WHEN 1 THEN 'undeploy' ELSE 'forget' END,
    kind, project, name, OLD.environment, 'done',
    json_object(
      'resource', OLD.resource, 'environment', OLD.environment,
      'active', json(CASE OLD.active WHEN 1 THEN 'true' ELSE 'false' END),
      'persistent', json(CASE OLD.persistent WHEN 1 THEN 'true' WHEN 0 THEN 'false' END),
      'digest', OLD.digest, 'revision', OLD.revision, 'serial', OLD.serial
    )
  FROM (SELECT OLD.resource AS id) LEFT JOIN resource USING (id);
END;

-- applied and introduction: append-only

CREATE TRIGGER applied_inserted AFTER INSERT ON applied BEGIN
  INSERT INTO audit_capture (action, project, outcome, after) VALUES (
    'apply', CASE NEW.unit WHEN 'system' THEN '' ELSE NEW.unit END, 'done',
    json_object(
      'repository', NEW.repository, 'target', NEW.target, 'unit', NEW.unit,
      'serial', NEW.serial, 'commit', NEW."commit", 'tree', NEW.tree,
      'previous', NEW.previous, 'digest', NEW.digest, 'at', NEW.at, 'run', NEW.run
    )
  );
END;

CREATE TRIGGER applied_never_updated BEFORE UPDATE ON applied BEGIN
  SELECT RAISE(ABORT, 'AU002: applied revisions are append-only');
END;

CREATE TRIGGER applied_never_deleted BEFORE DELETE ON applied BEGIN
  SELECT RAISE(ABORT, 'AU002: applied revisions are append-only');
END;

CREATE TRIGGER introduction_inserted AFTER INSERT ON introduction BEGIN
  INSERT INTO audit_capture (action, outcome, after) VALUES (
    'introduce', 'done',
    json_object(
      'repository', NEW.repository, 'target', NEW.target,
      'commit', NEW."commit", 'approver', NEW.approver
    )
  );
END;

CREATE TRIGGER introduction_never_updated BEFORE UPDATE ON introduction BEGIN
  SELECT RAISE(ABORT, 'AU002: an introduction stands');
END;

CREATE TRIGGER introduction_never_deleted BEFORE DELETE ON introduction BEGIN
  SELECT RAISE(ABORT, 'AU002: an introduction stands');
END;

-- keyring: the wrapped key is never in an entry

CREATE TRIGGER keyring_inserted AFTER INSERT ON keyring BEGIN
  INSERT INTO audit_capture (action, environment, outcome, after) VALUES (
    'key-create', NEW.environment, 'done',
    json_object(
      'environment', NEW.environment, 'purpose', NEW.purpose, 'kid', NEW.kid,
      'state', NEW.state, 'created', NEW.created
    )
  );
END;

CREATE TRIGGER keyring_updated AFTER UPDATE ON keyring BEGIN
  INSERT INTO audit_capture (action, environment, outcome, before, after) VALUES (
    'key-update', NEW.environment, 'done',
    json_object(
      'environment', OLD.environment, 'purpose', OLD.purpose, 'kid', OLD.kid,
      'state', OLD.state, 'created', OLD.created
    ),
    json_object(
      'environment', NEW.environment, 'purpose', NEW.purpose, 'kid', NEW.kid,
      'state', NEW.state, 'created', NEW.created
    )
  );
END;

CREATE TRIGGER keyring_deleted AFTER DELETE ON keyring BEGIN
  INSERT INTO audit_capture (action, environment, outcome, before) VALUES (
    'key-delete', OLD.environment, 'done',
    json_object(
      'environment', OLD.environment, 'purpose', OLD.purpose, 'kid', OLD.kid,
      'state', OLD.state, 'created', OLD.created
    )
  );
END;

-- content-addressed tables: added and removed with a ticket, never changed

CREATE TRIGGER snapshot_inserted BEFORE INSERT ON snapshot BEGIN
  SELECT RAISE(ABORT, 'AU001: a write without an audit ticket')
  WHERE apiops_ticket('run') IS NULL;
END;

CREATE TRIGGER snapshot_never_updated BEFORE UPDATE ON snapshot BEGIN
  SELECT RAISE(ABORT, 'AU002: content that is named by its digest cannot change');
END;

CREATE TRIGGER snapshot_deleted BEFORE DELETE ON snapshot BEGIN
  SELECT RAISE(ABORT, 'AU001: a write without an audit ticket')
  WHERE apiops_ticket('run') IS NULL;
END;

CREATE TRIGGER attachment_inserted BEFORE INSERT ON attachment BEGIN
  SELECT RAISE(ABORT, 'AU001: a write without an audit ticket')
  WHERE apiops_ticket('run') IS NULL;
END;

CREATE TRIGGER attachment_never_updated BEFORE UPDATE ON attachment BEGIN
  SELECT RAISE(ABORT, 'AU002: content that is named by its digest cannot change');
END;

CREATE TRIGGER attachment_deleted BEFORE DELETE ON attachment BEGIN
  SELECT RAISE(ABORT, 'AU001: a write without an audit ticket')
  WHERE apiops_ticket('run') IS NULL;
END;
