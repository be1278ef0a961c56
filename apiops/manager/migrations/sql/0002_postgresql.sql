-- Version 2 of the walls on PostgreSQL: the entry of a key version says which wrapping key holds it.

SELECT set_config('search_path', quote_ident(current_schema()) || ', pg_temp', true);

CREATE OR REPLACE FUNCTION audit_image(relation text, r jsonb) RETURNS text
LANGUAGE sql IMMUTABLE SET search_path FROM CURRENT AS $$
  SELECT CASE WHEN r IS NULL THEN NULL WHEN relation = 'resource' THEN json_build_object(
    'id', r->'id', 'kind', r->'kind', 'project', r->'project', 'name', r->'name',
    'spec', (r->>'spec')::json, 'labels', (r->>'labels')::json, 'protected', r->'protected',
    'digest', r->'digest', 'serial', r->'serial', 'owner', r->'owner',
    'applied', (r->>'applied')::json
  )::text
  WHEN relation = 'keyring' THEN (
    (r - 'wrapped') || jsonb_build_object('wrapper', split_part(r->>'wrapped', '.', 2))
  )::text
  ELSE (r - 'id' - 'token' - 'wrapped')::text END
$$;
