SET statement_timeout = 0;
SET lock_timeout = 0;
SET idle_in_transaction_session_timeout = 0;
SET transaction_timeout = 0;
SET client_encoding = 'UTF8';
SET standard_conforming_strings = on;
SELECT pg_catalog.set_config('search_path', '', false);
SET check_function_bodies = false;
SET xmloption = content;
SET client_min_messages = warning;
SET row_security = off;
CREATE FUNCTION public.capture_attribute_catalog_attribute_delete() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
DECLARE
  deleted_ids uuid[];
  replaced_ids uuid[];
BEGIN
  SELECT array_agg(o."id") FILTER (WHERE NOT here), array_agg(o."id") FILTER (WHERE here) INTO deleted_ids, replaced_ids FROM old_rows AS o CROSS JOIN LATERAL (SELECT EXISTS (SELECT FROM "catalog_attribute" AS t WHERE t."id" = o."id" OFFSET 0) AS here OFFSET 0) AS now;
  IF deleted_ids IS NOT NULL THEN
    INSERT INTO syncing_pending (resource, action, ids) VALUES ('attribute', 'deleted', deleted_ids);
  END IF;
  IF replaced_ids IS NOT NULL THEN
    INSERT INTO syncing_pending (resource, action, ids) VALUES ('attribute', 'replaced', replaced_ids);
  END IF;
  RETURN NULL;
END
$$;
CREATE FUNCTION public.capture_attribute_catalog_attribute_insert() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
DECLARE
  created_ids uuid[];
BEGIN
  SELECT array_agg("id") INTO created_ids FROM new_rows;
  IF created_ids IS NOT NULL THEN
    INSERT INTO syncing_pending (resource, action, ids) VALUES ('attribute', 'created', created_ids);
  END IF;
  RETURN NULL;
END
$$;
CREATE FUNCTION public.capture_attribute_catalog_attribute_truncate() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
DECLARE
  deleted_ids uuid[];
BEGIN
  IF current_setting('transaction_isolation') NOT LIKE 'read %' THEN
    RAISE EXCEPTION 'TRUNCATE of catalog_attribute would lose changes under %: do it under READ COMMITTED.',
      current_setting('transaction_isolation');
  END IF;
  SELECT array_agg("id") INTO deleted_ids FROM "catalog_attribute";
  IF deleted_ids IS NOT NULL THEN
    INSERT INTO syncing_pending (resource, action, ids) VALUES ('attribute', 'deleted', deleted_ids);
  END IF;
  RETURN NULL;
END
$$;
CREATE FUNCTION public.capture_attribute_catalog_attribute_update() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
DECLARE
  deleted_ids uuid[];
  replaced_ids uuid[];
  created_ids uuid[];
  updated_ids uuid[];
  merging text := current_setting('enable_mergejoin');
  done text;
BEGIN
  SELECT CASE WHEN (o."updated_at", o."min", o."max", o."free", o."is_required", o."position", o."name", o."choice") IS DISTINCT FROM (n."updated_at", n."min", n."max", n."free", n."is_required", n."position", n."name", n."choice") THEN ARRAY[n."id"] END INTO updated_ids
  FROM old_rows AS o, new_rows AS n
  WHERE NOT EXISTS (SELECT FROM new_rows OFFSET 1) AND n."id" = o."id";
  IF NOT FOUND THEN
    done := set_config('enable_mergejoin', 'off', true);
    SELECT array_agg(o."id") FILTER (WHERE n."id" IS NULL AND NOT EXISTS (SELECT FROM "catalog_attribute" AS t WHERE t."id" = o."id" OFFSET 0)), array_agg(o."id") FILTER (WHERE n."id" IS NULL AND EXISTS (SELECT FROM "catalog_attribute" AS t WHERE t."id" = o."id" OFFSET 0)), array_agg(n."id") FILTER (WHERE o."id" IS NULL), array_agg(n."id") FILTER (WHERE o."id" = n."id" AND (o."updated_at", o."min", o."max", o."free", o."is_required", o."position", o."name", o."choice") IS DISTINCT FROM (n."updated_at", n."min", n."max", n."free", n."is_required", n."position", n."name", n."choice")) INTO deleted_ids, replaced_ids, created_ids, updated_ids FROM old_rows AS o FULL JOIN new_rows AS n ON n."id" = o."id";
    done := set_config('enable_mergejoin', merging, true);
  END IF;
  IF deleted_ids IS NOT NULL THEN
    INSERT INTO syncing_pending (resource, action, ids) VALUES ('attribute', 'deleted', deleted_ids);
  END IF;
  IF replaced_ids IS NOT NULL THEN
    INSERT INTO syncing_pending (resource, action, ids) VALUES ('attribute', 'replaced', replaced_ids);
  END IF;
  IF created_ids IS NOT NULL THEN
    INSERT INTO syncing_pending (resource, action, ids) VALUES ('attribute', 'created', created_ids);
  END IF;
  IF updated_ids IS NOT NULL THEN
    INSERT INTO syncing_pending (resource, action, ids) VALUES ('attribute', 'updated', updated_ids);
  END IF;
  RETURN NULL;
END
$$;
CREATE FUNCTION public.capture_attribute_catalog_attributeoption_delete() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
DECLARE
  updated_ids uuid[];
BEGIN
  SELECT array_agg(DISTINCT "attribute_id") INTO updated_ids FROM old_rows;
  IF updated_ids IS NOT NULL THEN
    INSERT INTO syncing_pending (resource, action, ids) VALUES ('attribute', 'updated', updated_ids);
  END IF;
  RETURN NULL;
END
$$;
CREATE FUNCTION public.capture_attribute_catalog_attributeoption_insert() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
DECLARE
  updated_ids uuid[];
BEGIN
  SELECT array_agg(DISTINCT "attribute_id") INTO updated_ids FROM new_rows;
  IF updated_ids IS NOT NULL THEN
    INSERT INTO syncing_pending (resource, action, ids) VALUES ('attribute', 'updated', updated_ids);
  END IF;
  RETURN NULL;
END
$$;
CREATE FUNCTION public.capture_attribute_catalog_attributeoption_truncate() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
DECLARE
  updated_ids uuid[];
BEGIN
  IF current_setting('transaction_isolation') NOT LIKE 'read %' THEN
    RAISE EXCEPTION 'TRUNCATE of catalog_attributeoption would lose changes under %: do it under READ COMMITTED.',
      current_setting('transaction_isolation');
  END IF;
  SELECT array_agg(DISTINCT "attribute_id") INTO updated_ids FROM "catalog_attributeoption";
  IF updated_ids IS NOT NULL THEN
    INSERT INTO syncing_pending (resource, action, ids) VALUES ('attribute', 'updated', updated_ids);
  END IF;
  RETURN NULL;
END
$$;
CREATE FUNCTION public.capture_attribute_catalog_attributeoption_update() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
DECLARE
  updated_ids uuid[];
BEGIN
  SELECT array_agg(DISTINCT owner) INTO updated_ids FROM old_rows AS o FULL JOIN new_rows AS n ON n."id" = o."id" CROSS JOIN LATERAL (VALUES (o."attribute_id"), (n."attribute_id")) AS ends (owner) WHERE (o."id" IS DISTINCT FROM n."id" OR (o."attribute_id", o."price_change", o."is_default", o."is_sold_out", o."position", o."name") IS DISTINCT FROM (n."attribute_id", n."price_change", n."is_default", n."is_sold_out", n."position", n."name")) AND owner IS NOT NULL;
  IF updated_ids IS NOT NULL THEN
    INSERT INTO syncing_pending (resource, action, ids) VALUES ('attribute', 'updated', updated_ids);
  END IF;
  RETURN NULL;
END
$$;
CREATE FUNCTION public.capture_category_catalog_category_delete() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
DECLARE
  deleted_ids uuid[];
  replaced_ids uuid[];
BEGIN
  SELECT array_agg(o."id") FILTER (WHERE NOT here), array_agg(o."id") FILTER (WHERE here) INTO deleted_ids, replaced_ids FROM old_rows AS o CROSS JOIN LATERAL (SELECT EXISTS (SELECT FROM "catalog_category" AS t WHERE t."id" = o."id" OFFSET 0) AS here OFFSET 0) AS now;
  IF deleted_ids IS NOT NULL THEN
    INSERT INTO syncing_pending (resource, action, ids) VALUES ('category', 'deleted', deleted_ids);
  END IF;
  IF replaced_ids IS NOT NULL THEN
    INSERT INTO syncing_pending (resource, action, ids) VALUES ('category', 'replaced', replaced_ids);
  END IF;
  RETURN NULL;
END
$$;
CREATE FUNCTION public.capture_category_catalog_category_insert() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
DECLARE
  created_ids uuid[];
BEGIN
  SELECT array_agg("id") INTO created_ids FROM new_rows;
  IF created_ids IS NOT NULL THEN
    INSERT INTO syncing_pending (resource, action, ids) VALUES ('category', 'created', created_ids);
  END IF;
  RETURN NULL;
END
$$;
CREATE FUNCTION public.capture_category_catalog_category_print_destinations_delete() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
DECLARE
  updated_ids uuid[];
BEGIN
  SELECT array_agg(DISTINCT "category_id") INTO updated_ids FROM old_rows;
  IF updated_ids IS NOT NULL THEN
    INSERT INTO syncing_pending (resource, action, ids) VALUES ('category', 'updated', updated_ids);
  END IF;
  RETURN NULL;
END
$$;
CREATE FUNCTION public.capture_category_catalog_category_print_destinations_insert() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
DECLARE
  updated_ids uuid[];
BEGIN
  SELECT array_agg(DISTINCT "category_id") INTO updated_ids FROM new_rows;
  IF updated_ids IS NOT NULL THEN
    INSERT INTO syncing_pending (resource, action, ids) VALUES ('category', 'updated', updated_ids);
  END IF;
  RETURN NULL;
END
$$;
CREATE FUNCTION public.capture_category_catalog_category_print_destinations_truncate() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
DECLARE
  updated_ids uuid[];
BEGIN
  IF current_setting('transaction_isolation') NOT LIKE 'read %' THEN
    RAISE EXCEPTION 'TRUNCATE of catalog_category_print_destinations would lose changes under %: do it under READ COMMITTED.',
      current_setting('transaction_isolation');
  END IF;
  SELECT array_agg(DISTINCT "category_id") INTO updated_ids FROM "catalog_category_print_destinations";
  IF updated_ids IS NOT NULL THEN
    INSERT INTO syncing_pending (resource, action, ids) VALUES ('category', 'updated', updated_ids);
  END IF;
  RETURN NULL;
END
$$;
CREATE FUNCTION public.capture_category_catalog_category_print_destinations_update() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
DECLARE
  updated_ids uuid[];
BEGIN
  SELECT array_agg(DISTINCT owner) INTO updated_ids FROM old_rows AS o FULL JOIN new_rows AS n ON n."id" = o."id" CROSS JOIN LATERAL (VALUES (o."category_id"), (n."category_id")) AS ends (owner) WHERE (o."id" IS DISTINCT FROM n."id" OR (o."category_id", o."printdestination_id") IS DISTINCT FROM (n."category_id", n."printdestination_id")) AND owner IS NOT NULL;
  IF updated_ids IS NOT NULL THEN
    INSERT INTO syncing_pending (resource, action, ids) VALUES ('category', 'updated', updated_ids);
  END IF;
  RETURN NULL;
END
$$;
CREATE FUNCTION public.capture_category_catalog_category_truncate() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
DECLARE
  deleted_ids uuid[];
BEGIN
  IF current_setting('transaction_isolation') NOT LIKE 'read %' THEN
    RAISE EXCEPTION 'TRUNCATE of catalog_category would lose changes under %: do it under READ COMMITTED.',
      current_setting('transaction_isolation');
  END IF;
  SELECT array_agg("id") INTO deleted_ids FROM "catalog_category";
  IF deleted_ids IS NOT NULL THEN
    INSERT INTO syncing_pending (resource, action, ids) VALUES ('category', 'deleted', deleted_ids);
  END IF;
  RETURN NULL;
END
$$;
CREATE FUNCTION public.capture_category_catalog_category_update() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
DECLARE
  deleted_ids uuid[];
  replaced_ids uuid[];
  created_ids uuid[];
  updated_ids uuid[];
  merging text := current_setting('enable_mergejoin');
  done text;
BEGIN
  SELECT CASE WHEN (o."updated_at", o."position", o."parent_id", o."is_active", o."name", o."color") IS DISTINCT FROM (n."updated_at", n."position", n."parent_id", n."is_active", n."name", n."color") THEN ARRAY[n."id"] END INTO updated_ids
  FROM old_rows AS o, new_rows AS n
  WHERE NOT EXISTS (SELECT FROM new_rows OFFSET 1) AND n."id" = o."id";
  IF NOT FOUND THEN
    done := set_config('enable_mergejoin', 'off', true);
    SELECT array_agg(o."id") FILTER (WHERE n."id" IS NULL AND NOT EXISTS (SELECT FROM "catalog_category" AS t WHERE t."id" = o."id" OFFSET 0)), array_agg(o."id") FILTER (WHERE n."id" IS NULL AND EXISTS (SELECT FROM "catalog_category" AS t WHERE t."id" = o."id" OFFSET 0)), array_agg(n."id") FILTER (WHERE o."id" IS NULL), array_agg(n."id") FILTER (WHERE o."id" = n."id" AND (o."updated_at", o."position", o."parent_id", o."is_active", o."name", o."color") IS DISTINCT FROM (n."updated_at", n."position", n."parent_id", n."is_active", n."name", n."color")) INTO deleted_ids, replaced_ids, created_ids, updated_ids FROM old_rows AS o FULL JOIN new_rows AS n ON n."id" = o."id";
    done := set_config('enable_mergejoin', merging, true);
  END IF;
  IF deleted_ids IS NOT NULL THEN
    INSERT INTO syncing_pending (resource, action, ids) VALUES ('category', 'deleted', deleted_ids);
  END IF;
  IF replaced_ids IS NOT NULL THEN
    INSERT INTO syncing_pending (resource, action, ids) VALUES ('category', 'replaced', replaced_ids);
  END IF;
  IF created_ids IS NOT NULL THEN
    INSERT INTO syncing_pending (resource, action, ids) VALUES ('category', 'created', created_ids);
  END IF;
  IF updated_ids IS NOT NULL THEN
    INSERT INTO syncing_pending (resource, action, ids) VALUES ('category', 'updated', updated_ids);
  END IF;
  RETURN NULL;
END
$$;
CREATE FUNCTION public.capture_dining_table_catalog_diningtable_delete() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
DECLARE
  deleted_ids uuid[];
  replaced_ids uuid[];
BEGIN
  SELECT array_agg(o."id") FILTER (WHERE NOT here), array_agg(o."id") FILTER (WHERE here) INTO deleted_ids, replaced_ids FROM old_rows AS o CROSS JOIN LATERAL (SELECT EXISTS (SELECT FROM "catalog_diningtable" AS t WHERE t."id" = o."id" OFFSET 0) AS here OFFSET 0) AS now;
  IF deleted_ids IS NOT NULL THEN
    INSERT INTO syncing_pending (resource, action, ids) VALUES ('dining_table', 'deleted', deleted_ids);
  END IF;
  IF replaced_ids IS NOT NULL THEN
    INSERT INTO syncing_pending (resource, action, ids) VALUES ('dining_table', 'replaced', replaced_ids);
  END IF;
  RETURN NULL;
END
$$;
CREATE FUNCTION public.capture_dining_table_catalog_diningtable_insert() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
DECLARE
  created_ids uuid[];
BEGIN
  SELECT array_agg("id") INTO created_ids FROM new_rows;
  IF created_ids IS NOT NULL THEN
    INSERT INTO syncing_pending (resource, action, ids) VALUES ('dining_table', 'created', created_ids);
  END IF;
  RETURN NULL;
END
$$;
CREATE FUNCTION public.capture_dining_table_catalog_diningtable_truncate() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
DECLARE
  deleted_ids uuid[];
BEGIN
  IF current_setting('transaction_isolation') NOT LIKE 'read %' THEN
    RAISE EXCEPTION 'TRUNCATE of catalog_diningtable would lose changes under %: do it under READ COMMITTED.',
      current_setting('transaction_isolation');
  END IF;
  SELECT array_agg("id") INTO deleted_ids FROM "catalog_diningtable";
  IF deleted_ids IS NOT NULL THEN
    INSERT INTO syncing_pending (resource, action, ids) VALUES ('dining_table', 'deleted', deleted_ids);
  END IF;
  RETURN NULL;
END
$$;
CREATE FUNCTION public.capture_dining_table_catalog_diningtable_update() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
DECLARE
  deleted_ids uuid[];
  replaced_ids uuid[];
  created_ids uuid[];
  updated_ids uuid[];
  merging text := current_setting('enable_mergejoin');
  done text;
BEGIN
  SELECT CASE WHEN (o."updated_at", o."zone_id", o."seats", o."x", o."y", o."width", o."height", o."rotation", o."is_active", o."name", o."shape") IS DISTINCT FROM (n."updated_at", n."zone_id", n."seats", n."x", n."y", n."width", n."height", n."rotation", n."is_active", n."name", n."shape") THEN ARRAY[n."id"] END INTO updated_ids
  FROM old_rows AS o, new_rows AS n
  WHERE NOT EXISTS (SELECT FROM new_rows OFFSET 1) AND n."id" = o."id";
  IF NOT FOUND THEN
    done := set_config('enable_mergejoin', 'off', true);
    SELECT array_agg(o."id") FILTER (WHERE n."id" IS NULL AND NOT EXISTS (SELECT FROM "catalog_diningtable" AS t WHERE t."id" = o."id" OFFSET 0)), array_agg(o."id") FILTER (WHERE n."id" IS NULL AND EXISTS (SELECT FROM "catalog_diningtable" AS t WHERE t."id" = o."id" OFFSET 0)), array_agg(n."id") FILTER (WHERE o."id" IS NULL), array_agg(n."id") FILTER (WHERE o."id" = n."id" AND (o."updated_at", o."zone_id", o."seats", o."x", o."y", o."width", o."height", o."rotation", o."is_active", o."name", o."shape") IS DISTINCT FROM (n."updated_at", n."zone_id", n."seats", n."x", n."y", n."width", n."height", n."rotation", n."is_active", n."name", n."shape")) INTO deleted_ids, replaced_ids, created_ids, updated_ids FROM old_rows AS o FULL JOIN new_rows AS n ON n."id" = o."id";
    done := set_config('enable_mergejoin', merging, true);
  END IF;
  IF deleted_ids IS NOT NULL THEN
    INSERT INTO syncing_pending (resource, action, ids) VALUES ('dining_table', 'deleted', deleted_ids);
  END IF;
  IF replaced_ids IS NOT NULL THEN
    INSERT INTO syncing_pending (resource, action, ids) VALUES ('dining_table', 'replaced', replaced_ids);
  END IF;
  IF created_ids IS NOT NULL THEN
    INSERT INTO syncing_pending (resource, action, ids) VALUES ('dining_table', 'created', created_ids);
  END IF;
  IF updated_ids IS NOT NULL THEN
    INSERT INTO syncing_pending (resource, action, ids) VALUES ('dining_table', 'updated', updated_ids);
  END IF;
  RETURN NULL;
END
$$;
CREATE FUNCTION public.capture_employee_catalog_employee_delete() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
DECLARE
  deleted_ids uuid[];
  replaced_ids uuid[];
BEGIN
  SELECT array_agg(o."id") FILTER (WHERE NOT here), array_agg(o."id") FILTER (WHERE here) INTO deleted_ids, replaced_ids FROM old_rows AS o CROSS JOIN LATERAL (SELECT EXISTS (SELECT FROM "catalog_employee" AS t WHERE t."id" = o."id" OFFSET 0) AS here OFFSET 0) AS now;
  IF deleted_ids IS NOT NULL THEN
    INSERT INTO syncing_pending (resource, action, ids) VALUES ('employee', 'deleted', deleted_ids);
  END IF;
  IF replaced_ids IS NOT NULL THEN
    INSERT INTO syncing_pending (resource, action, ids) VALUES ('employee', 'replaced', replaced_ids);
  END IF;
  RETURN NULL;
END
$$;
CREATE FUNCTION public.capture_employee_catalog_employee_insert() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
DECLARE
  created_ids uuid[];
BEGIN
  SELECT array_agg("id") INTO created_ids FROM new_rows;
  IF created_ids IS NOT NULL THEN
    INSERT INTO syncing_pending (resource, action, ids) VALUES ('employee', 'created', created_ids);
  END IF;
  RETURN NULL;
END
$$;
CREATE FUNCTION public.capture_employee_catalog_employee_truncate() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
DECLARE
  deleted_ids uuid[];
BEGIN
  IF current_setting('transaction_isolation') NOT LIKE 'read %' THEN
    RAISE EXCEPTION 'TRUNCATE of catalog_employee would lose changes under %: do it under READ COMMITTED.',
      current_setting('transaction_isolation');
  END IF;
  SELECT array_agg("id") INTO deleted_ids FROM "catalog_employee";
  IF deleted_ids IS NOT NULL THEN
    INSERT INTO syncing_pending (resource, action, ids) VALUES ('employee', 'deleted', deleted_ids);
  END IF;
  RETURN NULL;
END
$$;
CREATE FUNCTION public.capture_employee_catalog_employee_update() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
DECLARE
  deleted_ids uuid[];
  replaced_ids uuid[];
  created_ids uuid[];
  updated_ids uuid[];
  merging text := current_setting('enable_mergejoin');
  done text;
BEGIN
  SELECT CASE WHEN (o."updated_at", o."role_id", o."is_active", o."name", o."code", o."pin_hash") IS DISTINCT FROM (n."updated_at", n."role_id", n."is_active", n."name", n."code", n."pin_hash") THEN ARRAY[n."id"] END INTO updated_ids
  FROM old_rows AS o, new_rows AS n
  WHERE NOT EXISTS (SELECT FROM new_rows OFFSET 1) AND n."id" = o."id";
  IF NOT FOUND THEN
    done := set_config('enable_mergejoin', 'off', true);
    SELECT array_agg(o."id") FILTER (WHERE n."id" IS NULL AND NOT EXISTS (SELECT FROM "catalog_employee" AS t WHERE t."id" = o."id" OFFSET 0)), array_agg(o."id") FILTER (WHERE n."id" IS NULL AND EXISTS (SELECT FROM "catalog_employee" AS t WHERE t."id" = o."id" OFFSET 0)), array_agg(n."id") FILTER (WHERE o."id" IS NULL), array_agg(n."id") FILTER (WHERE o."id" = n."id" AND (o."updated_at", o."role_id", o."is_active", o."name", o."code", o."pin_hash") IS DISTINCT FROM (n."updated_at", n."role_id", n."is_active", n."name", n."code", n."pin_hash")) INTO deleted_ids, replaced_ids, created_ids, updated_ids FROM old_rows AS o FULL JOIN new_rows AS n ON n."id" = o."id";
    done := set_config('enable_mergejoin', merging, true);
  END IF;
  IF deleted_ids IS NOT NULL THEN
    INSERT INTO syncing_pending (resource, action, ids) VALUES ('employee', 'deleted', deleted_ids);
  END IF;
  IF replaced_ids IS NOT NULL THEN
    INSERT INTO syncing_pending (resource, action, ids) VALUES ('employee', 'replaced', replaced_ids);
  END IF;
  IF created_ids IS NOT NULL THEN
    INSERT INTO syncing_pending (resource, action, ids) VALUES ('employee', 'created', created_ids);
  END IF;
  IF updated_ids IS NOT NULL THEN
    INSERT INTO syncing_pending (resource, action, ids) VALUES ('employee', 'updated', updated_ids);
  END IF;
  RETURN NULL;
END
$$;
CREATE FUNCTION public.capture_epoch() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
BEGIN
  PERFORM pg_notify('syncing', '');
  RETURN NULL;
END
$$;
CREATE FUNCTION public.capture_flush() RETURNS trigger
    LANGUAGE plpgsql
    SET enable_seqscan TO 'off'
    SET plan_cache_mode TO 'force_generic_plan'
    AS $$
DECLARE
  me xid8 := pg_current_xact_id();
  r record;
  base bigint;
  done text;
BEGIN
  IF NOT EXISTS (SELECT 1 FROM syncing_pending WHERE xid = me AND seq <> NEW.seq) THEN
    DELETE FROM syncing_pending WHERE xid = me AND seq = NEW.seq;
    IF NOT FOUND THEN
      RETURN NULL;
    END IF;
    done := pg_notify('syncing', '');
    done := pg_advisory_xact_lock(hashtextextended(NEW.resource, 7411));
    UPDATE syncing_resource SET version = version + cardinality(NEW.ids) WHERE name = NEW.resource
      RETURNING version - cardinality(NEW.ids) INTO base;
    IF NOT FOUND THEN
      RAISE EXCEPTION 'The counter of % is missing: run manage.py migrate.', NEW.resource;
    END IF;
    INSERT INTO syncing_change (resource, version, object_id, action, at)
      SELECT NEW.resource, base + place, id, NEW.action, clock_timestamp() FROM unnest(NEW.ids) WITH ORDINALITY AS touched (id, place);
    RETURN NULL;
  END IF;
  IF EXISTS (SELECT 1 FROM syncing_pending WHERE xid = me AND seq > NEW.seq) THEN
    RETURN NULL;
  END IF;
  done := pg_notify('syncing', '');
  FOR r IN
    WITH noted AS (DELETE FROM syncing_pending WHERE xid = me RETURNING seq, resource, action, ids)
    SELECT resource, array_agg(id) AS ids, array_agg(action) AS actions
    FROM (
      SELECT resource, id,
        CASE
          WHEN gone > born THEN CASE WHEN first_born < first_gone THEN NULL ELSE 'deleted' END
          WHEN born > 0 AND first_born < first_gone THEN 'created'
          ELSE 'updated'
        END AS action
      FROM (
        SELECT resource, id,
          coalesce(max(seq) FILTER (WHERE action = 'created'), 0) AS born,
          coalesce(max(seq) FILTER (WHERE action = 'deleted'), 0) AS gone,
          coalesce(min(seq) FILTER (WHERE action = 'created'), 9223372036854775807) AS first_born,
          coalesce(min(CASE action WHEN 'deleted' THEN seq WHEN 'replaced' THEN 0 END), 9223372036854775807)
            AS first_gone
        FROM noted, unnest(ids) AS id
        GROUP BY resource, id
      ) AS life
    ) AS outcome
    WHERE action IS NOT NULL
    GROUP BY resource
    ORDER BY resource
  LOOP
    done := pg_advisory_xact_lock(hashtextextended(r.resource, 7411));
    UPDATE syncing_resource SET version = version + cardinality(r.ids) WHERE name = r.resource
      RETURNING version - cardinality(r.ids) INTO base;
    IF NOT FOUND THEN
      RAISE EXCEPTION 'The counter of % is missing: run manage.py migrate.', r.resource;
    END IF;
    INSERT INTO syncing_change (resource, version, object_id, action, at)
      SELECT r.resource, base + place, id, action, clock_timestamp() FROM unnest(r.ids, r.actions) WITH ORDINALITY AS touched (id, action, place);
  END LOOP;
  RETURN NULL;
END
$$;
CREATE FUNCTION public.capture_forget() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
BEGIN
  DELETE FROM syncing_pending WHERE xid = pg_current_xact_id();
  RETURN NULL;
END
$$;
CREATE FUNCTION public.capture_price_rule_catalog_pricerule_delete() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
DECLARE
  deleted_ids uuid[];
  replaced_ids uuid[];
BEGIN
  SELECT array_agg(o."id") FILTER (WHERE NOT here), array_agg(o."id") FILTER (WHERE here) INTO deleted_ids, replaced_ids FROM old_rows AS o CROSS JOIN LATERAL (SELECT EXISTS (SELECT FROM "catalog_pricerule" AS t WHERE t."id" = o."id" OFFSET 0) AS here OFFSET 0) AS now;
  IF deleted_ids IS NOT NULL THEN
    INSERT INTO syncing_pending (resource, action, ids) VALUES ('price_rule', 'deleted', deleted_ids);
  END IF;
  IF replaced_ids IS NOT NULL THEN
    INSERT INTO syncing_pending (resource, action, ids) VALUES ('price_rule', 'replaced', replaced_ids);
  END IF;
  RETURN NULL;
END
$$;
CREATE FUNCTION public.capture_price_rule_catalog_pricerule_insert() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
DECLARE
  created_ids uuid[];
BEGIN
  SELECT array_agg("id") INTO created_ids FROM new_rows;
  IF created_ids IS NOT NULL THEN
    INSERT INTO syncing_pending (resource, action, ids) VALUES ('price_rule', 'created', created_ids);
  END IF;
  RETURN NULL;
END
$$;
CREATE FUNCTION public.capture_price_rule_catalog_pricerule_truncate() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
DECLARE
  deleted_ids uuid[];
BEGIN
  IF current_setting('transaction_isolation') NOT LIKE 'read %' THEN
    RAISE EXCEPTION 'TRUNCATE of catalog_pricerule would lose changes under %: do it under READ COMMITTED.',
      current_setting('transaction_isolation');
  END IF;
  SELECT array_agg("id") INTO deleted_ids FROM "catalog_pricerule";
  IF deleted_ids IS NOT NULL THEN
    INSERT INTO syncing_pending (resource, action, ids) VALUES ('price_rule', 'deleted', deleted_ids);
  END IF;
  RETURN NULL;
END
$$;
CREATE FUNCTION public.capture_price_rule_catalog_pricerule_update() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
DECLARE
  deleted_ids uuid[];
  replaced_ids uuid[];
  created_ids uuid[];
  updated_ids uuid[];
  merging text := current_setting('enable_mergejoin');
  done text;
BEGIN
  SELECT CASE WHEN (o."updated_at", o."value", o."category_id", o."tag_id", o."product_id", o."zone_id", o."weekdays", o."time_from", o."time_to", o."valid_from", o."valid_to", o."priority", o."is_stackable", o."is_active", o."name", o."adjustment", o."scope") IS DISTINCT FROM (n."updated_at", n."value", n."category_id", n."tag_id", n."product_id", n."zone_id", n."weekdays", n."time_from", n."time_to", n."valid_from", n."valid_to", n."priority", n."is_stackable", n."is_active", n."name", n."adjustment", n."scope") THEN ARRAY[n."id"] END INTO updated_ids
  FROM old_rows AS o, new_rows AS n
  WHERE NOT EXISTS (SELECT FROM new_rows OFFSET 1) AND n."id" = o."id";
  IF NOT FOUND THEN
    done := set_config('enable_mergejoin', 'off', true);
    SELECT array_agg(o."id") FILTER (WHERE n."id" IS NULL AND NOT EXISTS (SELECT FROM "catalog_pricerule" AS t WHERE t."id" = o."id" OFFSET 0)), array_agg(o."id") FILTER (WHERE n."id" IS NULL AND EXISTS (SELECT FROM "catalog_pricerule" AS t WHERE t."id" = o."id" OFFSET 0)), array_agg(n."id") FILTER (WHERE o."id" IS NULL), array_agg(n."id") FILTER (WHERE o."id" = n."id" AND (o."updated_at", o."value", o."category_id", o."tag_id", o."product_id", o."zone_id", o."weekdays", o."time_from", o."time_to", o."valid_from", o."valid_to", o."priority", o."is_stackable", o."is_active", o."name", o."adjustment", o."scope") IS DISTINCT FROM (n."updated_at", n."value", n."category_id", n."tag_id", n."product_id", n."zone_id", n."weekdays", n."time_from", n."time_to", n."valid_from", n."valid_to", n."priority", n."is_stackable", n."is_active", n."name", n."adjustment", n."scope")) INTO deleted_ids, replaced_ids, created_ids, updated_ids FROM old_rows AS o FULL JOIN new_rows AS n ON n."id" = o."id";
    done := set_config('enable_mergejoin', merging, true);
  END IF;
  IF deleted_ids IS NOT NULL THEN
    INSERT INTO syncing_pending (resource, action, ids) VALUES ('price_rule', 'deleted', deleted_ids);
  END IF;
  IF replaced_ids IS NOT NULL THEN
    INSERT INTO syncing_pending (resource, action, ids) VALUES ('price_rule', 'replaced', replaced_ids);
  END IF;
  IF created_ids IS NOT NULL THEN
    INSERT INTO syncing_pending (resource, action, ids) VALUES ('price_rule', 'created', created_ids);
  END IF;
  IF updated_ids IS NOT NULL THEN
    INSERT INTO syncing_pending (resource, action, ids) VALUES ('price_rule', 'updated', updated_ids);
  END IF;
  RETURN NULL;
END
$$;
CREATE FUNCTION public.capture_print_destination_catalog_printdestination_delete() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
DECLARE
  deleted_ids uuid[];
  replaced_ids uuid[];
BEGIN
  SELECT array_agg(o."id") FILTER (WHERE NOT here), array_agg(o."id") FILTER (WHERE here) INTO deleted_ids, replaced_ids FROM old_rows AS o CROSS JOIN LATERAL (SELECT EXISTS (SELECT FROM "catalog_printdestination" AS t WHERE t."id" = o."id" OFFSET 0) AS here OFFSET 0) AS now;
  IF deleted_ids IS NOT NULL THEN
    INSERT INTO syncing_pending (resource, action, ids) VALUES ('print_destination', 'deleted', deleted_ids);
  END IF;
  IF replaced_ids IS NOT NULL THEN
    INSERT INTO syncing_pending (resource, action, ids) VALUES ('print_destination', 'replaced', replaced_ids);
  END IF;
  RETURN NULL;
END
$$;
CREATE FUNCTION public.capture_print_destination_catalog_printdestination_insert() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
DECLARE
  created_ids uuid[];
BEGIN
  SELECT array_agg("id") INTO created_ids FROM new_rows;
  IF created_ids IS NOT NULL THEN
    INSERT INTO syncing_pending (resource, action, ids) VALUES ('print_destination', 'created', created_ids);
  END IF;
  RETURN NULL;
END
$$;
CREATE FUNCTION public.capture_print_destination_catalog_printdestination_truncate() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
DECLARE
  deleted_ids uuid[];
BEGIN
  IF current_setting('transaction_isolation') NOT LIKE 'read %' THEN
    RAISE EXCEPTION 'TRUNCATE of catalog_printdestination would lose changes under %: do it under READ COMMITTED.',
      current_setting('transaction_isolation');
  END IF;
  SELECT array_agg("id") INTO deleted_ids FROM "catalog_printdestination";
  IF deleted_ids IS NOT NULL THEN
    INSERT INTO syncing_pending (resource, action, ids) VALUES ('print_destination', 'deleted', deleted_ids);
  END IF;
  RETURN NULL;
END
$$;
CREATE FUNCTION public.capture_print_destination_catalog_printdestination_update() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
DECLARE
  deleted_ids uuid[];
  replaced_ids uuid[];
  created_ids uuid[];
  updated_ids uuid[];
  merging text := current_setting('enable_mergejoin');
  done text;
BEGIN
  SELECT CASE WHEN (o."updated_at", o."copies", o."fallback_id", o."is_active", o."name", o."kind", o."address") IS DISTINCT FROM (n."updated_at", n."copies", n."fallback_id", n."is_active", n."name", n."kind", n."address") THEN ARRAY[n."id"] END INTO updated_ids
  FROM old_rows AS o, new_rows AS n
  WHERE NOT EXISTS (SELECT FROM new_rows OFFSET 1) AND n."id" = o."id";
  IF NOT FOUND THEN
    done := set_config('enable_mergejoin', 'off', true);
    SELECT array_agg(o."id") FILTER (WHERE n."id" IS NULL AND NOT EXISTS (SELECT FROM "catalog_printdestination" AS t WHERE t."id" = o."id" OFFSET 0)), array_agg(o."id") FILTER (WHERE n."id" IS NULL AND EXISTS (SELECT FROM "catalog_printdestination" AS t WHERE t."id" = o."id" OFFSET 0)), array_agg(n."id") FILTER (WHERE o."id" IS NULL), array_agg(n."id") FILTER (WHERE o."id" = n."id" AND (o."updated_at", o."copies", o."fallback_id", o."is_active", o."name", o."kind", o."address") IS DISTINCT FROM (n."updated_at", n."copies", n."fallback_id", n."is_active", n."name", n."kind", n."address")) INTO deleted_ids, replaced_ids, created_ids, updated_ids FROM old_rows AS o FULL JOIN new_rows AS n ON n."id" = o."id";
    done := set_config('enable_mergejoin', merging, true);
  END IF;
  IF deleted_ids IS NOT NULL THEN
    INSERT INTO syncing_pending (resource, action, ids) VALUES ('print_destination', 'deleted', deleted_ids);
  END IF;
  IF replaced_ids IS NOT NULL THEN
    INSERT INTO syncing_pending (resource, action, ids) VALUES ('print_destination', 'replaced', replaced_ids);
  END IF;
  IF created_ids IS NOT NULL THEN
    INSERT INTO syncing_pending (resource, action, ids) VALUES ('print_destination', 'created', created_ids);
  END IF;
  IF updated_ids IS NOT NULL THEN
    INSERT INTO syncing_pending (resource, action, ids) VALUES ('print_destination', 'updated', updated_ids);
  END IF;
  RETURN NULL;
END
$$;
CREATE FUNCTION public.capture_product_catalog_product_attributes_delete() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
DECLARE
  updated_ids uuid[];
BEGIN
  SELECT array_agg(DISTINCT "product_id") INTO updated_ids FROM old_rows;
  IF updated_ids IS NOT NULL THEN
    INSERT INTO syncing_pending (resource, action, ids) VALUES ('product', 'updated', updated_ids);
  END IF;
  RETURN NULL;
END
$$;
CREATE FUNCTION public.capture_product_catalog_product_attributes_insert() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
DECLARE
  updated_ids uuid[];
BEGIN
  SELECT array_agg(DISTINCT "product_id") INTO updated_ids FROM new_rows;
  IF updated_ids IS NOT NULL THEN
    INSERT INTO syncing_pending (resource, action, ids) VALUES ('product', 'updated', updated_ids);
  END IF;
  RETURN NULL;
END
$$;
CREATE FUNCTION public.capture_product_catalog_product_attributes_truncate() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
DECLARE
  updated_ids uuid[];
BEGIN
  IF current_setting('transaction_isolation') NOT LIKE 'read %' THEN
    RAISE EXCEPTION 'TRUNCATE of catalog_product_attributes would lose changes under %: do it under READ COMMITTED.',
      current_setting('transaction_isolation');
  END IF;
  SELECT array_agg(DISTINCT "product_id") INTO updated_ids FROM "catalog_product_attributes";
  IF updated_ids IS NOT NULL THEN
    INSERT INTO syncing_pending (resource, action, ids) VALUES ('product', 'updated', updated_ids);
  END IF;
  RETURN NULL;
END
$$;
CREATE FUNCTION public.capture_product_catalog_product_attributes_update() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
DECLARE
  updated_ids uuid[];
BEGIN
  SELECT array_agg(DISTINCT owner) INTO updated_ids FROM old_rows AS o FULL JOIN new_rows AS n ON n."id" = o."id" CROSS JOIN LATERAL (VALUES (o."product_id"), (n."product_id")) AS ends (owner) WHERE (o."id" IS DISTINCT FROM n."id" OR (o."product_id", o."attribute_id") IS DISTINCT FROM (n."product_id", n."attribute_id")) AND owner IS NOT NULL;
  IF updated_ids IS NOT NULL THEN
    INSERT INTO syncing_pending (resource, action, ids) VALUES ('product', 'updated', updated_ids);
  END IF;
  RETURN NULL;
END
$$;
CREATE FUNCTION public.capture_product_catalog_product_delete() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
DECLARE
  deleted_ids uuid[];
  replaced_ids uuid[];
BEGIN
  SELECT array_agg(o."id") FILTER (WHERE NOT here), array_agg(o."id") FILTER (WHERE here) INTO deleted_ids, replaced_ids FROM old_rows AS o CROSS JOIN LATERAL (SELECT EXISTS (SELECT FROM "catalog_product" AS t WHERE t."id" = o."id" OFFSET 0) AS here OFFSET 0) AS now;
  IF deleted_ids IS NOT NULL THEN
    INSERT INTO syncing_pending (resource, action, ids) VALUES ('product', 'deleted', deleted_ids);
  END IF;
  IF replaced_ids IS NOT NULL THEN
    INSERT INTO syncing_pending (resource, action, ids) VALUES ('product', 'replaced', replaced_ids);
  END IF;
  RETURN NULL;
END
$$;
CREATE FUNCTION public.capture_product_catalog_product_insert() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
DECLARE
  created_ids uuid[];
BEGIN
  SELECT array_agg("id") INTO created_ids FROM new_rows;
  IF created_ids IS NOT NULL THEN
    INSERT INTO syncing_pending (resource, action, ids) VALUES ('product', 'created', created_ids);
  END IF;
  RETURN NULL;
END
$$;
CREATE FUNCTION public.capture_product_catalog_product_print_destinations_delete() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
DECLARE
  updated_ids uuid[];
BEGIN
  SELECT array_agg(DISTINCT "product_id") INTO updated_ids FROM old_rows;
  IF updated_ids IS NOT NULL THEN
    INSERT INTO syncing_pending (resource, action, ids) VALUES ('product', 'updated', updated_ids);
  END IF;
  RETURN NULL;
END
$$;
CREATE FUNCTION public.capture_product_catalog_product_print_destinations_insert() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
DECLARE
  updated_ids uuid[];
BEGIN
  SELECT array_agg(DISTINCT "product_id") INTO updated_ids FROM new_rows;
  IF updated_ids IS NOT NULL THEN
    INSERT INTO syncing_pending (resource, action, ids) VALUES ('product', 'updated', updated_ids);
  END IF;
  RETURN NULL;
END
$$;
CREATE FUNCTION public.capture_product_catalog_product_print_destinations_truncate() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
DECLARE
  updated_ids uuid[];
BEGIN
  IF current_setting('transaction_isolation') NOT LIKE 'read %' THEN
    RAISE EXCEPTION 'TRUNCATE of catalog_product_print_destinations would lose changes under %: do it under READ COMMITTED.',
      current_setting('transaction_isolation');
  END IF;
  SELECT array_agg(DISTINCT "product_id") INTO updated_ids FROM "catalog_product_print_destinations";
  IF updated_ids IS NOT NULL THEN
    INSERT INTO syncing_pending (resource, action, ids) VALUES ('product', 'updated', updated_ids);
  END IF;
  RETURN NULL;
END
$$;
CREATE FUNCTION public.capture_product_catalog_product_print_destinations_update() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
DECLARE
  updated_ids uuid[];
BEGIN
  SELECT array_agg(DISTINCT owner) INTO updated_ids FROM old_rows AS o FULL JOIN new_rows AS n ON n."id" = o."id" CROSS JOIN LATERAL (VALUES (o."product_id"), (n."product_id")) AS ends (owner) WHERE (o."id" IS DISTINCT FROM n."id" OR (o."product_id", o."printdestination_id") IS DISTINCT FROM (n."product_id", n."printdestination_id")) AND owner IS NOT NULL;
  IF updated_ids IS NOT NULL THEN
    INSERT INTO syncing_pending (resource, action, ids) VALUES ('product', 'updated', updated_ids);
  END IF;
  RETURN NULL;
END
$$;
CREATE FUNCTION public.capture_product_catalog_product_tags_delete() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
DECLARE
  updated_ids uuid[];
BEGIN
  SELECT array_agg(DISTINCT "product_id") INTO updated_ids FROM old_rows;
  IF updated_ids IS NOT NULL THEN
    INSERT INTO syncing_pending (resource, action, ids) VALUES ('product', 'updated', updated_ids);
  END IF;
  RETURN NULL;
END
$$;
CREATE FUNCTION public.capture_product_catalog_product_tags_insert() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
DECLARE
  updated_ids uuid[];
BEGIN
  SELECT array_agg(DISTINCT "product_id") INTO updated_ids FROM new_rows;
  IF updated_ids IS NOT NULL THEN
    INSERT INTO syncing_pending (resource, action, ids) VALUES ('product', 'updated', updated_ids);
  END IF;
  RETURN NULL;
END
$$;
CREATE FUNCTION public.capture_product_catalog_product_tags_truncate() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
DECLARE
  updated_ids uuid[];
BEGIN
  IF current_setting('transaction_isolation') NOT LIKE 'read %' THEN
    RAISE EXCEPTION 'TRUNCATE of catalog_product_tags would lose changes under %: do it under READ COMMITTED.',
      current_setting('transaction_isolation');
  END IF;
  SELECT array_agg(DISTINCT "product_id") INTO updated_ids FROM "catalog_product_tags";
  IF updated_ids IS NOT NULL THEN
    INSERT INTO syncing_pending (resource, action, ids) VALUES ('product', 'updated', updated_ids);
  END IF;
  RETURN NULL;
END
$$;
CREATE FUNCTION public.capture_product_catalog_product_tags_update() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
DECLARE
  updated_ids uuid[];
BEGIN
  SELECT array_agg(DISTINCT owner) INTO updated_ids FROM old_rows AS o FULL JOIN new_rows AS n ON n."id" = o."id" CROSS JOIN LATERAL (VALUES (o."product_id"), (n."product_id")) AS ends (owner) WHERE (o."id" IS DISTINCT FROM n."id" OR (o."product_id", o."tag_id") IS DISTINCT FROM (n."product_id", n."tag_id")) AND owner IS NOT NULL;
  IF updated_ids IS NOT NULL THEN
    INSERT INTO syncing_pending (resource, action, ids) VALUES ('product', 'updated', updated_ids);
  END IF;
  RETURN NULL;
END
$$;
CREATE FUNCTION public.capture_product_catalog_product_truncate() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
DECLARE
  deleted_ids uuid[];
BEGIN
  IF current_setting('transaction_isolation') NOT LIKE 'read %' THEN
    RAISE EXCEPTION 'TRUNCATE of catalog_product would lose changes under %: do it under READ COMMITTED.',
      current_setting('transaction_isolation');
  END IF;
  SELECT array_agg("id") INTO deleted_ids FROM "catalog_product";
  IF deleted_ids IS NOT NULL THEN
    INSERT INTO syncing_pending (resource, action, ids) VALUES ('product', 'deleted', deleted_ids);
  END IF;
  RETURN NULL;
END
$$;
CREATE FUNCTION public.capture_product_catalog_product_update() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
DECLARE
  deleted_ids uuid[];
  replaced_ids uuid[];
  created_ids uuid[];
  updated_ids uuid[];
  merging text := current_setting('enable_mergejoin');
  done text;
BEGIN
  SELECT CASE WHEN (o."updated_at", o."price", o."tax_rate", o."category_id", o."image_id", o."position", o."is_active", o."is_sold_out", o."name", o."short_name", o."kitchen_name", o."sku", o."barcode", o."description", o."price_type", o."unit", o."color") IS DISTINCT FROM (n."updated_at", n."price", n."tax_rate", n."category_id", n."image_id", n."position", n."is_active", n."is_sold_out", n."name", n."short_name", n."kitchen_name", n."sku", n."barcode", n."description", n."price_type", n."unit", n."color") THEN ARRAY[n."id"] END INTO updated_ids
  FROM old_rows AS o, new_rows AS n
  WHERE NOT EXISTS (SELECT FROM new_rows OFFSET 1) AND n."id" = o."id";
  IF NOT FOUND THEN
    done := set_config('enable_mergejoin', 'off', true);
    SELECT array_agg(o."id") FILTER (WHERE n."id" IS NULL AND NOT EXISTS (SELECT FROM "catalog_product" AS t WHERE t."id" = o."id" OFFSET 0)), array_agg(o."id") FILTER (WHERE n."id" IS NULL AND EXISTS (SELECT FROM "catalog_product" AS t WHERE t."id" = o."id" OFFSET 0)), array_agg(n."id") FILTER (WHERE o."id" IS NULL), array_agg(n."id") FILTER (WHERE o."id" = n."id" AND (o."updated_at", o."price", o."tax_rate", o."category_id", o."image_id", o."position", o."is_active", o."is_sold_out", o."name", o."short_name", o."kitchen_name", o."sku", o."barcode", o."description", o."price_type", o."unit", o."color") IS DISTINCT FROM (n."updated_at", n."price", n."tax_rate", n."category_id", n."image_id", n."position", n."is_active", n."is_sold_out", n."name", n."short_name", n."kitchen_name", n."sku", n."barcode", n."description", n."price_type", n."unit", n."color")) INTO deleted_ids, replaced_ids, created_ids, updated_ids FROM old_rows AS o FULL JOIN new_rows AS n ON n."id" = o."id";
    done := set_config('enable_mergejoin', merging, true);
  END IF;
  IF deleted_ids IS NOT NULL THEN
    INSERT INTO syncing_pending (resource, action, ids) VALUES ('product', 'deleted', deleted_ids);
  END IF;
  IF replaced_ids IS NOT NULL THEN
    INSERT INTO syncing_pending (resource, action, ids) VALUES ('product', 'replaced', replaced_ids);
  END IF;
  IF created_ids IS NOT NULL THEN
    INSERT INTO syncing_pending (resource, action, ids) VALUES ('product', 'created', created_ids);
  END IF;
  IF updated_ids IS NOT NULL THEN
    INSERT INTO syncing_pending (resource, action, ids) VALUES ('product', 'updated', updated_ids);
  END IF;
  RETURN NULL;
END
$$;
CREATE FUNCTION public.capture_role_catalog_role_delete() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
DECLARE
  deleted_ids uuid[];
  replaced_ids uuid[];
BEGIN
  SELECT array_agg(o."id") FILTER (WHERE NOT here), array_agg(o."id") FILTER (WHERE here) INTO deleted_ids, replaced_ids FROM old_rows AS o CROSS JOIN LATERAL (SELECT EXISTS (SELECT FROM "catalog_role" AS t WHERE t."id" = o."id" OFFSET 0) AS here OFFSET 0) AS now;
  IF deleted_ids IS NOT NULL THEN
    INSERT INTO syncing_pending (resource, action, ids) VALUES ('role', 'deleted', deleted_ids);
  END IF;
  IF replaced_ids IS NOT NULL THEN
    INSERT INTO syncing_pending (resource, action, ids) VALUES ('role', 'replaced', replaced_ids);
  END IF;
  RETURN NULL;
END
$$;
CREATE FUNCTION public.capture_role_catalog_role_insert() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
DECLARE
  created_ids uuid[];
BEGIN
  SELECT array_agg("id") INTO created_ids FROM new_rows;
  IF created_ids IS NOT NULL THEN
    INSERT INTO syncing_pending (resource, action, ids) VALUES ('role', 'created', created_ids);
  END IF;
  RETURN NULL;
END
$$;
CREATE FUNCTION public.capture_role_catalog_role_truncate() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
DECLARE
  deleted_ids uuid[];
BEGIN
  IF current_setting('transaction_isolation') NOT LIKE 'read %' THEN
    RAISE EXCEPTION 'TRUNCATE of catalog_role would lose changes under %: do it under READ COMMITTED.',
      current_setting('transaction_isolation');
  END IF;
  SELECT array_agg("id") INTO deleted_ids FROM "catalog_role";
  IF deleted_ids IS NOT NULL THEN
    INSERT INTO syncing_pending (resource, action, ids) VALUES ('role', 'deleted', deleted_ids);
  END IF;
  RETURN NULL;
END
$$;
CREATE FUNCTION public.capture_role_catalog_role_update() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
DECLARE
  deleted_ids uuid[];
  replaced_ids uuid[];
  created_ids uuid[];
  updated_ids uuid[];
  merging text := current_setting('enable_mergejoin');
  done text;
BEGIN
  SELECT CASE WHEN (o."updated_at", o."permission_codes", o."discount_limit", o."name") IS DISTINCT FROM (n."updated_at", n."permission_codes", n."discount_limit", n."name") THEN ARRAY[n."id"] END INTO updated_ids
  FROM old_rows AS o, new_rows AS n
  WHERE NOT EXISTS (SELECT FROM new_rows OFFSET 1) AND n."id" = o."id";
  IF NOT FOUND THEN
    done := set_config('enable_mergejoin', 'off', true);
    SELECT array_agg(o."id") FILTER (WHERE n."id" IS NULL AND NOT EXISTS (SELECT FROM "catalog_role" AS t WHERE t."id" = o."id" OFFSET 0)), array_agg(o."id") FILTER (WHERE n."id" IS NULL AND EXISTS (SELECT FROM "catalog_role" AS t WHERE t."id" = o."id" OFFSET 0)), array_agg(n."id") FILTER (WHERE o."id" IS NULL), array_agg(n."id") FILTER (WHERE o."id" = n."id" AND (o."updated_at", o."permission_codes", o."discount_limit", o."name") IS DISTINCT FROM (n."updated_at", n."permission_codes", n."discount_limit", n."name")) INTO deleted_ids, replaced_ids, created_ids, updated_ids FROM old_rows AS o FULL JOIN new_rows AS n ON n."id" = o."id";
    done := set_config('enable_mergejoin', merging, true);
  END IF;
  IF deleted_ids IS NOT NULL THEN
    INSERT INTO syncing_pending (resource, action, ids) VALUES ('role', 'deleted', deleted_ids);
  END IF;
  IF replaced_ids IS NOT NULL THEN
    INSERT INTO syncing_pending (resource, action, ids) VALUES ('role', 'replaced', replaced_ids);
  END IF;
  IF created_ids IS NOT NULL THEN
    INSERT INTO syncing_pending (resource, action, ids) VALUES ('role', 'created', created_ids);
  END IF;
  IF updated_ids IS NOT NULL THEN
    INSERT INTO syncing_pending (resource, action, ids) VALUES ('role', 'updated', updated_ids);
  END IF;
  RETURN NULL;
END
$$;
CREATE FUNCTION public.capture_tag_catalog_tag_delete() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
DECLARE
  deleted_ids uuid[];
  replaced_ids uuid[];
BEGIN
  SELECT array_agg(o."id") FILTER (WHERE NOT here), array_agg(o."id") FILTER (WHERE here) INTO deleted_ids, replaced_ids FROM old_rows AS o CROSS JOIN LATERAL (SELECT EXISTS (SELECT FROM "catalog_tag" AS t WHERE t."id" = o."id" OFFSET 0) AS here OFFSET 0) AS now;
  IF deleted_ids IS NOT NULL THEN
    INSERT INTO syncing_pending (resource, action, ids) VALUES ('tag', 'deleted', deleted_ids);
  END IF;
  IF replaced_ids IS NOT NULL THEN
    INSERT INTO syncing_pending (resource, action, ids) VALUES ('tag', 'replaced', replaced_ids);
  END IF;
  RETURN NULL;
END
$$;
CREATE FUNCTION public.capture_tag_catalog_tag_insert() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
DECLARE
  created_ids uuid[];
BEGIN
  SELECT array_agg("id") INTO created_ids FROM new_rows;
  IF created_ids IS NOT NULL THEN
    INSERT INTO syncing_pending (resource, action, ids) VALUES ('tag', 'created', created_ids);
  END IF;
  RETURN NULL;
END
$$;
CREATE FUNCTION public.capture_tag_catalog_tag_truncate() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
DECLARE
  deleted_ids uuid[];
BEGIN
  IF current_setting('transaction_isolation') NOT LIKE 'read %' THEN
    RAISE EXCEPTION 'TRUNCATE of catalog_tag would lose changes under %: do it under READ COMMITTED.',
      current_setting('transaction_isolation');
  END IF;
  SELECT array_agg("id") INTO deleted_ids FROM "catalog_tag";
  IF deleted_ids IS NOT NULL THEN
    INSERT INTO syncing_pending (resource, action, ids) VALUES ('tag', 'deleted', deleted_ids);
  END IF;
  RETURN NULL;
END
$$;
CREATE FUNCTION public.capture_tag_catalog_tag_update() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
DECLARE
  deleted_ids uuid[];
  replaced_ids uuid[];
  created_ids uuid[];
  updated_ids uuid[];
  merging text := current_setting('enable_mergejoin');
  done text;
BEGIN
  SELECT CASE WHEN (o."updated_at", o."name", o."color", o."kind") IS DISTINCT FROM (n."updated_at", n."name", n."color", n."kind") THEN ARRAY[n."id"] END INTO updated_ids
  FROM old_rows AS o, new_rows AS n
  WHERE NOT EXISTS (SELECT FROM new_rows OFFSET 1) AND n."id" = o."id";
  IF NOT FOUND THEN
    done := set_config('enable_mergejoin', 'off', true);
    SELECT array_agg(o."id") FILTER (WHERE n."id" IS NULL AND NOT EXISTS (SELECT FROM "catalog_tag" AS t WHERE t."id" = o."id" OFFSET 0)), array_agg(o."id") FILTER (WHERE n."id" IS NULL AND EXISTS (SELECT FROM "catalog_tag" AS t WHERE t."id" = o."id" OFFSET 0)), array_agg(n."id") FILTER (WHERE o."id" IS NULL), array_agg(n."id") FILTER (WHERE o."id" = n."id" AND (o."updated_at", o."name", o."color", o."kind") IS DISTINCT FROM (n."updated_at", n."name", n."color", n."kind")) INTO deleted_ids, replaced_ids, created_ids, updated_ids FROM old_rows AS o FULL JOIN new_rows AS n ON n."id" = o."id";
    done := set_config('enable_mergejoin', merging, true);
  END IF;
  IF deleted_ids IS NOT NULL THEN
    INSERT INTO syncing_pending (resource, action, ids) VALUES ('tag', 'deleted', deleted_ids);
  END IF;
  IF replaced_ids IS NOT NULL THEN
    INSERT INTO syncing_pending (resource, action, ids) VALUES ('tag', 'replaced', replaced_ids);
  END IF;
  IF created_ids IS NOT NULL THEN
    INSERT INTO syncing_pending (resource, action, ids) VALUES ('tag', 'created', created_ids);
  END IF;
  IF updated_ids IS NOT NULL THEN
    INSERT INTO syncing_pending (resource, action, ids) VALUES ('tag', 'updated', updated_ids);
  END IF;
  RETURN NULL;
END
$$;
CREATE FUNCTION public.capture_zone_catalog_zone_delete() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
DECLARE
  deleted_ids uuid[];
  replaced_ids uuid[];
BEGIN
  SELECT array_agg(o."id") FILTER (WHERE NOT here), array_agg(o."id") FILTER (WHERE here) INTO deleted_ids, replaced_ids FROM old_rows AS o CROSS JOIN LATERAL (SELECT EXISTS (SELECT FROM "catalog_zone" AS t WHERE t."id" = o."id" OFFSET 0) AS here OFFSET 0) AS now;
  IF deleted_ids IS NOT NULL THEN
    INSERT INTO syncing_pending (resource, action, ids) VALUES ('zone', 'deleted', deleted_ids);
  END IF;
  IF replaced_ids IS NOT NULL THEN
    INSERT INTO syncing_pending (resource, action, ids) VALUES ('zone', 'replaced', replaced_ids);
  END IF;
  RETURN NULL;
END
$$;
CREATE FUNCTION public.capture_zone_catalog_zone_insert() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
DECLARE
  created_ids uuid[];
BEGIN
  SELECT array_agg("id") INTO created_ids FROM new_rows;
  IF created_ids IS NOT NULL THEN
    INSERT INTO syncing_pending (resource, action, ids) VALUES ('zone', 'created', created_ids);
  END IF;
  RETURN NULL;
END
$$;
CREATE FUNCTION public.capture_zone_catalog_zone_truncate() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
DECLARE
  deleted_ids uuid[];
BEGIN
  IF current_setting('transaction_isolation') NOT LIKE 'read %' THEN
    RAISE EXCEPTION 'TRUNCATE of catalog_zone would lose changes under %: do it under READ COMMITTED.',
      current_setting('transaction_isolation');
  END IF;
  SELECT array_agg("id") INTO deleted_ids FROM "catalog_zone";
  IF deleted_ids IS NOT NULL THEN
    INSERT INTO syncing_pending (resource, action, ids) VALUES ('zone', 'deleted', deleted_ids);
  END IF;
  RETURN NULL;
END
$$;
CREATE FUNCTION public.capture_zone_catalog_zone_update() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
DECLARE
  deleted_ids uuid[];
  replaced_ids uuid[];
  created_ids uuid[];
  updated_ids uuid[];
  merging text := current_setting('enable_mergejoin');
  done text;
BEGIN
  SELECT CASE WHEN (o."updated_at", o."position", o."name") IS DISTINCT FROM (n."updated_at", n."position", n."name") THEN ARRAY[n."id"] END INTO updated_ids
  FROM old_rows AS o, new_rows AS n
  WHERE NOT EXISTS (SELECT FROM new_rows OFFSET 1) AND n."id" = o."id";
  IF NOT FOUND THEN
    done := set_config('enable_mergejoin', 'off', true);
    SELECT array_agg(o."id") FILTER (WHERE n."id" IS NULL AND NOT EXISTS (SELECT FROM "catalog_zone" AS t WHERE t."id" = o."id" OFFSET 0)), array_agg(o."id") FILTER (WHERE n."id" IS NULL AND EXISTS (SELECT FROM "catalog_zone" AS t WHERE t."id" = o."id" OFFSET 0)), array_agg(n."id") FILTER (WHERE o."id" IS NULL), array_agg(n."id") FILTER (WHERE o."id" = n."id" AND (o."updated_at", o."position", o."name") IS DISTINCT FROM (n."updated_at", n."position", n."name")) INTO deleted_ids, replaced_ids, created_ids, updated_ids FROM old_rows AS o FULL JOIN new_rows AS n ON n."id" = o."id";
    done := set_config('enable_mergejoin', merging, true);
  END IF;
  IF deleted_ids IS NOT NULL THEN
    INSERT INTO syncing_pending (resource, action, ids) VALUES ('zone', 'deleted', deleted_ids);
  END IF;
  IF replaced_ids IS NOT NULL THEN
    INSERT INTO syncing_pending (resource, action, ids) VALUES ('zone', 'replaced', replaced_ids);
  END IF;
  IF created_ids IS NOT NULL THEN
    INSERT INTO syncing_pending (resource, action, ids) VALUES ('zone', 'created', created_ids);
  END IF;
  IF updated_ids IS NOT NULL THEN
    INSERT INTO syncing_pending (resource, action, ids) VALUES ('zone', 'updated', updated_ids);
  END IF;
  RETURN NULL;
END
$$;
SET default_tablespace = '';
SET default_table_access_method = heap;
CREATE TABLE public.auth_group (
    id integer NOT NULL,
    name character varying(150) NOT NULL
);
ALTER TABLE public.auth_group ALTER COLUMN id ADD GENERATED BY DEFAULT AS IDENTITY (
    SEQUENCE NAME public.auth_group_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);
CREATE TABLE public.auth_group_permissions (
    id bigint NOT NULL,
    group_id integer NOT NULL,
    permission_id integer NOT NULL
);
ALTER TABLE public.auth_group_permissions ALTER COLUMN id ADD GENERATED BY DEFAULT AS IDENTITY (
    SEQUENCE NAME public.auth_group_permissions_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);
CREATE TABLE public.auth_permission (
    id integer NOT NULL,
    name character varying(255) NOT NULL,
    content_type_id integer NOT NULL,
    codename character varying(100) NOT NULL
);
ALTER TABLE public.auth_permission ALTER COLUMN id ADD GENERATED BY DEFAULT AS IDENTITY (
    SEQUENCE NAME public.auth_permission_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);
CREATE TABLE public.auth_user (
    id integer NOT NULL,
    password character varying(128) NOT NULL,
    last_login timestamp with time zone,
    is_superuser boolean NOT NULL,
    username character varying(150) NOT NULL,
    first_name character varying(150) NOT NULL,
    last_name character varying(150) NOT NULL,
    email character varying(254) NOT NULL,
    is_staff boolean NOT NULL,
    is_active boolean NOT NULL,
    date_joined timestamp with time zone NOT NULL
);
CREATE TABLE public.auth_user_groups (
    id bigint NOT NULL,
    user_id integer NOT NULL,
    group_id integer NOT NULL
);
ALTER TABLE public.auth_user_groups ALTER COLUMN id ADD GENERATED BY DEFAULT AS IDENTITY (
    SEQUENCE NAME public.auth_user_groups_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);
ALTER TABLE public.auth_user ALTER COLUMN id ADD GENERATED BY DEFAULT AS IDENTITY (
    SEQUENCE NAME public.auth_user_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);
CREATE TABLE public.auth_user_user_permissions (
    id bigint NOT NULL,
    user_id integer NOT NULL,
    permission_id integer NOT NULL
);
ALTER TABLE public.auth_user_user_permissions ALTER COLUMN id ADD GENERATED BY DEFAULT AS IDENTITY (
    SEQUENCE NAME public.auth_user_user_permissions_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);
CREATE TABLE public.catalog_attribute (
    id uuid NOT NULL,
    updated_at timestamp with time zone NOT NULL,
    name character varying(100) NOT NULL,
    choice character varying(4) NOT NULL,
    min smallint NOT NULL,
    max smallint,
    free smallint NOT NULL,
    is_required boolean NOT NULL,
    "position" integer NOT NULL,
    CONSTRAINT attribute_choice_is_known CHECK (((choice)::text = ANY ((ARRAY['one'::character varying, 'many'::character varying])::text[]))),
    CONSTRAINT attribute_max_is_not_below_min CHECK (((max IS NULL) OR (max >= min))),
    CONSTRAINT catalog_attribute_free_check CHECK ((free >= 0)),
    CONSTRAINT catalog_attribute_max_check CHECK ((max >= 0)),
    CONSTRAINT catalog_attribute_min_check CHECK ((min >= 0))
);
CREATE TABLE public.catalog_attributeoption (
    id uuid NOT NULL,
    name character varying(100) NOT NULL,
    price_change numeric(10,2) NOT NULL,
    is_default boolean NOT NULL,
    is_sold_out boolean NOT NULL,
    "position" integer NOT NULL,
    attribute_id uuid NOT NULL
);
CREATE TABLE public.catalog_category (
    id uuid NOT NULL,
    updated_at timestamp with time zone NOT NULL,
    name character varying(100) NOT NULL,
    color character varying(7) NOT NULL,
    "position" integer NOT NULL,
    is_active boolean NOT NULL,
    parent_id uuid,
    CONSTRAINT category_is_not_its_own_parent CHECK (((parent_id IS NULL) OR (NOT ((parent_id = id) AND (parent_id IS NOT NULL)))))
);
CREATE TABLE public.catalog_category_print_destinations (
    id bigint NOT NULL,
    category_id uuid NOT NULL,
    printdestination_id uuid CONSTRAINT catalog_category_print_destination_printdestination_id_not_null NOT NULL
);
ALTER TABLE public.catalog_category_print_destinations ALTER COLUMN id ADD GENERATED BY DEFAULT AS IDENTITY (
    SEQUENCE NAME public.catalog_category_print_destinations_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);
CREATE TABLE public.catalog_diningtable (
    id uuid NOT NULL,
    updated_at timestamp with time zone NOT NULL,
    name character varying(30) NOT NULL,
    seats smallint NOT NULL,
    shape character varying(9) NOT NULL,
    x integer NOT NULL,
    y integer NOT NULL,
    width integer NOT NULL,
    height integer NOT NULL,
    rotation smallint NOT NULL,
    is_active boolean NOT NULL,
    zone_id uuid NOT NULL,
    CONSTRAINT catalog_diningtable_height_check CHECK ((height >= 0)),
    CONSTRAINT catalog_diningtable_seats_check CHECK ((seats >= 0)),
    CONSTRAINT catalog_diningtable_width_check CHECK ((width >= 0)),
    CONSTRAINT table_has_seats_and_a_size CHECK (((height >= 1) AND (seats >= 1) AND (width >= 1)))
);
CREATE TABLE public.catalog_employee (
    id uuid NOT NULL,
    updated_at timestamp with time zone NOT NULL,
    name character varying(100) NOT NULL,
    code character varying(30) NOT NULL,
    is_active boolean NOT NULL,
    pin_hash character varying(128) NOT NULL,
    role_id uuid NOT NULL
);
CREATE TABLE public.catalog_pricerule (
    id uuid NOT NULL,
    updated_at timestamp with time zone NOT NULL,
    name character varying(100) NOT NULL,
    adjustment character varying(10) NOT NULL,
    value numeric(10,2) NOT NULL,
    scope character varying(8) NOT NULL,
    weekdays jsonb NOT NULL,
    time_from time without time zone,
    time_to time without time zone,
    valid_from date,
    valid_to date,
    priority integer NOT NULL,
    is_stackable boolean NOT NULL,
    is_active boolean NOT NULL,
    category_id uuid,
    product_id uuid,
    tag_id uuid,
    zone_id uuid,
    CONSTRAINT price_rule_ends_after_it_starts CHECK (((valid_from IS NULL) OR (valid_to IS NULL) OR (valid_to >= valid_from))),
    CONSTRAINT price_rule_has_the_target_of_its_scope CHECK ((((category_id IS NULL) AND (product_id IS NULL) AND ((scope)::text = 'all'::text) AND (tag_id IS NULL) AND (zone_id IS NULL)) OR ((category_id IS NOT NULL) AND (product_id IS NULL) AND ((scope)::text = 'category'::text) AND (tag_id IS NULL) AND (zone_id IS NULL)) OR ((category_id IS NULL) AND (product_id IS NULL) AND ((scope)::text = 'tag'::text) AND (tag_id IS NOT NULL) AND (zone_id IS NULL)) OR ((category_id IS NULL) AND (product_id IS NOT NULL) AND ((scope)::text = 'product'::text) AND (tag_id IS NULL) AND (zone_id IS NULL)) OR ((category_id IS NULL) AND (product_id IS NULL) AND ((scope)::text = 'zone'::text) AND (tag_id IS NULL) AND (zone_id IS NOT NULL)))),
    CONSTRAINT price_rule_sets_no_negative_price CHECK ((((adjustment)::text = ANY ((ARRAY['percentage'::character varying, 'amount'::character varying])::text[])) OR (((adjustment)::text = 'set'::text) AND (value >= (0)::numeric)))),
    CONSTRAINT price_rule_takes_at_most_everything_off CHECK (((NOT ((adjustment)::text = 'percentage'::text)) OR (value >= ('-100'::integer)::numeric))),
    CONSTRAINT price_rule_window_has_both_ends CHECK ((((time_from IS NULL) AND (time_to IS NULL)) OR ((time_from IS NOT NULL) AND (time_to IS NOT NULL))))
);
CREATE TABLE public.catalog_printdestination (
    id uuid NOT NULL,
    updated_at timestamp with time zone NOT NULL,
    name character varying(60) NOT NULL,
    kind character varying(7) NOT NULL,
    address character varying(200) NOT NULL,
    copies smallint NOT NULL,
    is_active boolean NOT NULL,
    fallback_id uuid,
    CONSTRAINT catalog_printdestination_copies_check CHECK ((copies >= 0)),
    CONSTRAINT copies_are_between_1_and_9 CHECK (((copies >= 1) AND (copies <= 9))),
    CONSTRAINT print_destination_is_not_its_own_fallback CHECK (((fallback_id IS NULL) OR (NOT ((fallback_id = id) AND (fallback_id IS NOT NULL)))))
);
CREATE TABLE public.catalog_product (
    id uuid NOT NULL,
    updated_at timestamp with time zone NOT NULL,
    name character varying(200) NOT NULL,
    short_name character varying(60) NOT NULL,
    kitchen_name character varying(60) NOT NULL,
    sku character varying(64) NOT NULL,
    barcode character varying(64) NOT NULL,
    description text NOT NULL,
    price numeric(10,2) NOT NULL,
    price_type character varying(6) NOT NULL,
    unit character varying(2) NOT NULL,
    tax_rate numeric(5,2) NOT NULL,
    color character varying(7) NOT NULL,
    "position" integer NOT NULL,
    is_active boolean NOT NULL,
    is_sold_out boolean NOT NULL,
    category_id uuid NOT NULL,
    image_id character varying(64),
    CONSTRAINT price_is_not_negative CHECK ((price >= (0)::numeric)),
    CONSTRAINT tax_rate_is_a_percentage CHECK (((tax_rate >= (0)::numeric) AND (tax_rate <= (100)::numeric))),
    CONSTRAINT unit_is_set_exactly_for_sale_by_weight CHECK (((((price_type)::text = 'weight'::text) AND (NOT ((unit)::text = ''::text))) OR (((price_type)::text = ANY ((ARRAY['fixed'::character varying, 'open'::character varying])::text[])) AND ((unit)::text = ''::text))))
);
CREATE TABLE public.catalog_product_attributes (
    id bigint NOT NULL,
    product_id uuid NOT NULL,
    attribute_id uuid NOT NULL
);
ALTER TABLE public.catalog_product_attributes ALTER COLUMN id ADD GENERATED BY DEFAULT AS IDENTITY (
    SEQUENCE NAME public.catalog_product_attributes_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);
CREATE TABLE public.catalog_product_print_destinations (
    id bigint NOT NULL,
    product_id uuid NOT NULL,
    printdestination_id uuid NOT NULL
);
ALTER TABLE public.catalog_product_print_destinations ALTER COLUMN id ADD GENERATED BY DEFAULT AS IDENTITY (
    SEQUENCE NAME public.catalog_product_print_destinations_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);
CREATE TABLE public.catalog_product_tags (
    id bigint NOT NULL,
    product_id uuid NOT NULL,
    tag_id uuid NOT NULL
);
ALTER TABLE public.catalog_product_tags ALTER COLUMN id ADD GENERATED BY DEFAULT AS IDENTITY (
    SEQUENCE NAME public.catalog_product_tags_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);
CREATE TABLE public.catalog_role (
    id uuid NOT NULL,
    updated_at timestamp with time zone NOT NULL,
    name character varying(60) NOT NULL,
    permission_codes jsonb NOT NULL,
    discount_limit numeric(5,2) NOT NULL,
    CONSTRAINT discount_limit_is_a_percentage CHECK (((discount_limit >= (0)::numeric) AND (discount_limit <= (100)::numeric)))
);
CREATE TABLE public.catalog_tag (
    id uuid NOT NULL,
    updated_at timestamp with time zone NOT NULL,
    name character varying(60) NOT NULL,
    color character varying(7) NOT NULL,
    kind character varying(10) NOT NULL,
    CONSTRAINT tag_kind_is_known CHECK (((kind)::text = ANY ((ARRAY['menu'::character varying, 'diet'::character varying, 'allergen'::character varying])::text[])))
);
CREATE TABLE public.catalog_zone (
    id uuid NOT NULL,
    updated_at timestamp with time zone NOT NULL,
    name character varying(60) NOT NULL,
    "position" integer NOT NULL
);
CREATE TABLE public.devices_device (
    may_upload boolean NOT NULL,
    may_manage boolean NOT NULL,
    id uuid NOT NULL,
    name character varying(100) NOT NULL,
    token_hash character varying(64) NOT NULL,
    last_seen timestamp with time zone,
    revoked_at timestamp with time zone,
    created_at timestamp with time zone NOT NULL,
    certificate_expires_at timestamp with time zone,
    certificate_fingerprint character varying(64),
    CONSTRAINT certificate_of_a_device_expires CHECK ((((certificate_expires_at IS NULL) AND (certificate_fingerprint IS NULL)) OR ((certificate_expires_at IS NOT NULL) AND (certificate_fingerprint IS NOT NULL)))),
    CONSTRAINT device_has_a_name CHECK ((NOT ((name)::text = ''::text)))
);
CREATE TABLE public.devices_enrolmentcode (
    id bigint NOT NULL,
    may_upload boolean NOT NULL,
    may_manage boolean NOT NULL,
    code_hash character varying(64) NOT NULL,
    created_at timestamp with time zone NOT NULL,
    expires_at timestamp with time zone NOT NULL,
    used_at timestamp with time zone,
    created_by_id integer,
    device_id uuid
);
ALTER TABLE public.devices_enrolmentcode ALTER COLUMN id ADD GENERATED BY DEFAULT AS IDENTITY (
    SEQUENCE NAME public.devices_enrolmentcode_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);
CREATE TABLE public.devices_failedtry (
    id bigint NOT NULL,
    key character varying(200) NOT NULL,
    at timestamp with time zone NOT NULL
);
ALTER TABLE public.devices_failedtry ALTER COLUMN id ADD GENERATED BY DEFAULT AS IDENTITY (
    SEQUENCE NAME public.devices_failedtry_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);
CREATE TABLE public.django_admin_log (
    id integer NOT NULL,
    action_time timestamp with time zone NOT NULL,
    object_id text,
    object_repr character varying(200) NOT NULL,
    action_flag smallint NOT NULL,
    change_message text NOT NULL,
    content_type_id integer,
    user_id integer NOT NULL,
    CONSTRAINT django_admin_log_action_flag_check CHECK ((action_flag >= 0))
);
ALTER TABLE public.django_admin_log ALTER COLUMN id ADD GENERATED BY DEFAULT AS IDENTITY (
    SEQUENCE NAME public.django_admin_log_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);
CREATE TABLE public.django_content_type (
    id integer NOT NULL,
    app_label character varying(100) NOT NULL,
    model character varying(100) NOT NULL
);
ALTER TABLE public.django_content_type ALTER COLUMN id ADD GENERATED BY DEFAULT AS IDENTITY (
    SEQUENCE NAME public.django_content_type_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);
CREATE TABLE public.django_migrations (
    id bigint NOT NULL,
    app character varying(255) NOT NULL,
    name character varying(255) NOT NULL,
    applied timestamp with time zone NOT NULL
);
ALTER TABLE public.django_migrations ALTER COLUMN id ADD GENERATED BY DEFAULT AS IDENTITY (
    SEQUENCE NAME public.django_migrations_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);
CREATE TABLE public.django_session (
    session_key character varying(40) NOT NULL,
    session_data text NOT NULL,
    expire_date timestamp with time zone NOT NULL
);
CREATE TABLE public.images_image (
    hash character varying(64) NOT NULL,
    status character varying(8) NOT NULL,
    width integer NOT NULL,
    height integer NOT NULL,
    size integer NOT NULL,
    encoder character varying(60) NOT NULL,
    created_at timestamp with time zone NOT NULL,
    wanted_at timestamp with time zone NOT NULL,
    checked_at timestamp with time zone,
    damaged_at timestamp with time zone,
    unreferenced_since timestamp with time zone,
    CONSTRAINT image_is_not_empty CHECK (((height >= 1) AND (size >= 1) AND (width >= 1))),
    CONSTRAINT image_status_is_known CHECK (((status)::text = ANY ((ARRAY['storing'::character varying, 'stored'::character varying, 'sweeping'::character varying])::text[]))),
    CONSTRAINT images_image_height_check CHECK ((height >= 0)),
    CONSTRAINT images_image_size_check CHECK ((size >= 0)),
    CONSTRAINT images_image_width_check CHECK ((width >= 0))
);
CREATE TABLE public.images_pass (
    id bigint NOT NULL,
    kind character varying(8) NOT NULL,
    outcome character varying(12) NOT NULL,
    is_dry_run boolean NOT NULL,
    started_at timestamp with time zone NOT NULL,
    ended_at timestamp with time zone,
    counts jsonb NOT NULL,
    cursor character varying(300) NOT NULL,
    CONSTRAINT pass_kind_is_known CHECK (((kind)::text = ANY ((ARRAY['sweep'::character varying, 'scrub'::character varying, 'orphans'::character varying])::text[])))
);
ALTER TABLE public.images_pass ALTER COLUMN id ADD GENERATED BY DEFAULT AS IDENTITY (
    SEQUENCE NAME public.images_pass_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);
CREATE TABLE public.syncing_change (
    resource character varying(40) NOT NULL,
    version bigint NOT NULL,
    object_id uuid NOT NULL,
    action character varying(7) NOT NULL,
    at timestamp with time zone NOT NULL
);
CREATE TABLE public.syncing_epoch (
    id smallint NOT NULL,
    epoch uuid NOT NULL,
    since timestamp with time zone NOT NULL,
    CONSTRAINT syncing_epoch_id_check CHECK ((id >= 0)),
    CONSTRAINT there_is_one_epoch CHECK ((id = 1))
);
CREATE UNLOGGED TABLE public.syncing_pending (
    xid xid8 DEFAULT pg_current_xact_id() NOT NULL,
    seq bigint NOT NULL,
    resource text NOT NULL,
    action text NOT NULL,
    ids uuid[] NOT NULL
);
ALTER TABLE ONLY public.syncing_pending ALTER COLUMN ids SET STORAGE EXTERNAL;
ALTER TABLE public.syncing_pending ALTER COLUMN seq ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.syncing_pending_seq_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);
CREATE TABLE public.syncing_position (
    device_id uuid NOT NULL,
    cursor text NOT NULL,
    reached_at timestamp with time zone NOT NULL
);
CREATE TABLE public.syncing_resource (
    name character varying(40) NOT NULL,
    version bigint NOT NULL,
    horizon bigint NOT NULL,
    CONSTRAINT horizon_lies_between_0_and_version CHECK (((horizon >= 0) AND (horizon <= version)))
);
CREATE TABLE public.uploads_album (
    id uuid NOT NULL,
    name character varying(200) NOT NULL,
    created_at timestamp with time zone NOT NULL
);
CREATE TABLE public.uploads_photo (
    id uuid NOT NULL,
    filename character varying(255) NOT NULL,
    content_type character varying(20) NOT NULL,
    size integer NOT NULL,
    sha256 character varying(64) NOT NULL,
    status character varying(10) NOT NULL,
    attempts smallint NOT NULL,
    error character varying(40) NOT NULL,
    error_detail text NOT NULL,
    lease uuid,
    lease_expires_at timestamp with time zone,
    queued_until timestamp with time zone,
    upload_expires_at timestamp with time zone NOT NULL,
    created_at timestamp with time zone NOT NULL,
    checked_at timestamp with time zone NOT NULL,
    processing_at timestamp with time zone,
    ready_at timestamp with time zone,
    failed_at timestamp with time zone,
    album_id uuid NOT NULL,
    image_id character varying(64),
    product_id uuid,
    CONSTRAINT photo_content_type_is_allowed CHECK (((content_type)::text = ANY ((ARRAY['image/jpeg'::character varying, 'image/png'::character varying, 'image/webp'::character varying, 'image/avif'::character varying, 'image/tiff'::character varying, 'image/bmp'::character varying, 'image/gif'::character varying, 'image/heic'::character varying, 'image/heif'::character varying])::text[]))),
    CONSTRAINT photo_explains_no_error_that_it_does_not_have CHECK (((error_detail = ''::text) OR (NOT ((error)::text = ''::text)))),
    CONSTRAINT photo_has_a_file_name CHECK ((NOT ((filename)::text = ''::text))),
    CONSTRAINT photo_has_a_lease_exactly_while_processing CHECK ((((lease IS NOT NULL) AND (lease_expires_at IS NOT NULL) AND ((status)::text = 'processing'::text)) OR ((NOT ((status)::text = 'processing'::text)) AND (lease IS NULL) AND (lease_expires_at IS NULL)))),
    CONSTRAINT photo_has_an_image_exactly_when_ready CHECK ((((image_id IS NOT NULL) AND ((status)::text = 'ready'::text)) OR ((NOT ((status)::text = 'ready'::text)) AND (image_id IS NULL)))),
    CONSTRAINT photo_is_queued_only_while_pending CHECK (((queued_until IS NULL) OR ((status)::text = 'pending'::text))),
    CONSTRAINT photo_knows_since_when_it_is_in_its_state CHECK (((NOT ((processing_at IS NULL) AND ((status)::text = 'processing'::text))) AND (NOT ((ready_at IS NULL) AND ((status)::text = 'ready'::text))) AND (NOT ((failed_at IS NULL) AND ((status)::text = 'failed'::text))))),
    CONSTRAINT photo_says_why_it_failed_and_nothing_when_ready CHECK (((NOT (((error)::text = ''::text) AND ((status)::text = 'failed'::text))) AND (NOT (((status)::text = 'ready'::text) AND (NOT ((error)::text = ''::text)))))),
    CONSTRAINT photo_size_is_allowed CHECK (((size >= 1) AND (size <= 26214400))),
    CONSTRAINT photo_status_is_known CHECK (((status)::text = ANY ((ARRAY['pending'::character varying, 'processing'::character varying, 'ready'::character varying, 'failed'::character varying])::text[]))),
    CONSTRAINT photo_that_was_ready_stays_ready CHECK (((ready_at IS NULL) OR ((status)::text = 'ready'::text))),
    CONSTRAINT photo_was_attempted_once_it_left_pending CHECK ((((status)::text = 'pending'::text) OR (attempts >= 1))),
    CONSTRAINT uploads_photo_attempts_check CHECK ((attempts >= 0)),
    CONSTRAINT uploads_photo_size_check CHECK ((size >= 0))
);
INSERT INTO public.auth_permission VALUES (1, 'Can add log entry', 1, 'add_logentry');
INSERT INTO public.auth_permission VALUES (2, 'Can change log entry', 1, 'change_logentry');
INSERT INTO public.auth_permission VALUES (3, 'Can delete log entry', 1, 'delete_logentry');
INSERT INTO public.auth_permission VALUES (4, 'Can view log entry', 1, 'view_logentry');
INSERT INTO public.auth_permission VALUES (5, 'Can add permission', 2, 'add_permission');
INSERT INTO public.auth_permission VALUES (6, 'Can change permission', 2, 'change_permission');
INSERT INTO public.auth_permission VALUES (7, 'Can delete permission', 2, 'delete_permission');
INSERT INTO public.auth_permission VALUES (8, 'Can view permission', 2, 'view_permission');
INSERT INTO public.auth_permission VALUES (9, 'Can add group', 3, 'add_group');
INSERT INTO public.auth_permission VALUES (10, 'Can change group', 3, 'change_group');
INSERT INTO public.auth_permission VALUES (11, 'Can delete group', 3, 'delete_group');
INSERT INTO public.auth_permission VALUES (12, 'Can view group', 3, 'view_group');
INSERT INTO public.auth_permission VALUES (13, 'Can add user', 4, 'add_user');
INSERT INTO public.auth_permission VALUES (14, 'Can change user', 4, 'change_user');
INSERT INTO public.auth_permission VALUES (15, 'Can delete user', 4, 'delete_user');
INSERT INTO public.auth_permission VALUES (16, 'Can view user', 4, 'view_user');
INSERT INTO public.auth_permission VALUES (17, 'Can add content type', 5, 'add_contenttype');
INSERT INTO public.auth_permission VALUES (18, 'Can change content type', 5, 'change_contenttype');
INSERT INTO public.auth_permission VALUES (19, 'Can delete content type', 5, 'delete_contenttype');
INSERT INTO public.auth_permission VALUES (20, 'Can view content type', 5, 'view_contenttype');
INSERT INTO public.auth_permission VALUES (21, 'Can add session', 6, 'add_session');
INSERT INTO public.auth_permission VALUES (22, 'Can change session', 6, 'change_session');
INSERT INTO public.auth_permission VALUES (23, 'Can delete session', 6, 'delete_session');
INSERT INTO public.auth_permission VALUES (24, 'Can view session', 6, 'view_session');
INSERT INTO public.auth_permission VALUES (25, 'Can add device', 7, 'add_device');
INSERT INTO public.auth_permission VALUES (26, 'Can change device', 7, 'change_device');
INSERT INTO public.auth_permission VALUES (27, 'Can delete device', 7, 'delete_device');
INSERT INTO public.auth_permission VALUES (28, 'Can view device', 7, 'view_device');
INSERT INTO public.auth_permission VALUES (29, 'Can add enrolment code', 8, 'add_enrolmentcode');
INSERT INTO public.auth_permission VALUES (30, 'Can change enrolment code', 8, 'change_enrolmentcode');
INSERT INTO public.auth_permission VALUES (31, 'Can delete enrolment code', 8, 'delete_enrolmentcode');
INSERT INTO public.auth_permission VALUES (32, 'Can view enrolment code', 8, 'view_enrolmentcode');
INSERT INTO public.auth_permission VALUES (33, 'Can add failed try', 9, 'add_failedtry');
INSERT INTO public.auth_permission VALUES (34, 'Can change failed try', 9, 'change_failedtry');
INSERT INTO public.auth_permission VALUES (35, 'Can delete failed try', 9, 'delete_failedtry');
INSERT INTO public.auth_permission VALUES (36, 'Can view failed try', 9, 'view_failedtry');
INSERT INTO public.auth_permission VALUES (37, 'Can add change', 10, 'add_change');
INSERT INTO public.auth_permission VALUES (38, 'Can change change', 10, 'change_change');
INSERT INTO public.auth_permission VALUES (39, 'Can delete change', 10, 'delete_change');
INSERT INTO public.auth_permission VALUES (40, 'Can view change', 10, 'view_change');
INSERT INTO public.auth_permission VALUES (41, 'Can add epoch', 11, 'add_epoch');
INSERT INTO public.auth_permission VALUES (42, 'Can change epoch', 11, 'change_epoch');
INSERT INTO public.auth_permission VALUES (43, 'Can delete epoch', 11, 'delete_epoch');
INSERT INTO public.auth_permission VALUES (44, 'Can view epoch', 11, 'view_epoch');
INSERT INTO public.auth_permission VALUES (45, 'Can add synced resource', 12, 'add_syncedresource');
INSERT INTO public.auth_permission VALUES (46, 'Can change synced resource', 12, 'change_syncedresource');
INSERT INTO public.auth_permission VALUES (47, 'Can delete synced resource', 12, 'delete_syncedresource');
INSERT INTO public.auth_permission VALUES (48, 'Can view synced resource', 12, 'view_syncedresource');
INSERT INTO public.auth_permission VALUES (49, 'Can add position in the stream', 13, 'add_position');
INSERT INTO public.auth_permission VALUES (50, 'Can change position in the stream', 13, 'change_position');
INSERT INTO public.auth_permission VALUES (51, 'Can delete position in the stream', 13, 'delete_position');
INSERT INTO public.auth_permission VALUES (52, 'Can view position in the stream', 13, 'view_position');
INSERT INTO public.auth_permission VALUES (53, 'Can add image', 14, 'add_image');
INSERT INTO public.auth_permission VALUES (54, 'Can change image', 14, 'change_image');
INSERT INTO public.auth_permission VALUES (55, 'Can delete image', 14, 'delete_image');
INSERT INTO public.auth_permission VALUES (56, 'Can view image', 14, 'view_image');
INSERT INTO public.auth_permission VALUES (57, 'Can add upkeep pass', 15, 'add_pass');
INSERT INTO public.auth_permission VALUES (58, 'Can change upkeep pass', 15, 'change_pass');
INSERT INTO public.auth_permission VALUES (59, 'Can delete upkeep pass', 15, 'delete_pass');
INSERT INTO public.auth_permission VALUES (60, 'Can view upkeep pass', 15, 'view_pass');
INSERT INTO public.auth_permission VALUES (61, 'Can add attribute', 16, 'add_attribute');
INSERT INTO public.auth_permission VALUES (62, 'Can change attribute', 16, 'change_attribute');
INSERT INTO public.auth_permission VALUES (63, 'Can delete attribute', 16, 'delete_attribute');
INSERT INTO public.auth_permission VALUES (64, 'Can view attribute', 16, 'view_attribute');
INSERT INTO public.auth_permission VALUES (65, 'Can add print destination', 17, 'add_printdestination');
INSERT INTO public.auth_permission VALUES (66, 'Can change print destination', 17, 'change_printdestination');
INSERT INTO public.auth_permission VALUES (67, 'Can delete print destination', 17, 'delete_printdestination');
INSERT INTO public.auth_permission VALUES (68, 'Can view print destination', 17, 'view_printdestination');
INSERT INTO public.auth_permission VALUES (69, 'Can add category', 18, 'add_category');
INSERT INTO public.auth_permission VALUES (70, 'Can change category', 18, 'change_category');
INSERT INTO public.auth_permission VALUES (71, 'Can delete category', 18, 'delete_category');
INSERT INTO public.auth_permission VALUES (72, 'Can view category', 18, 'view_category');
INSERT INTO public.auth_permission VALUES (73, 'Can add role', 19, 'add_role');
INSERT INTO public.auth_permission VALUES (74, 'Can change role', 19, 'change_role');
INSERT INTO public.auth_permission VALUES (75, 'Can delete role', 19, 'delete_role');
INSERT INTO public.auth_permission VALUES (76, 'Can view role', 19, 'view_role');
INSERT INTO public.auth_permission VALUES (77, 'Can add employee', 20, 'add_employee');
INSERT INTO public.auth_permission VALUES (78, 'Can change employee', 20, 'change_employee');
INSERT INTO public.auth_permission VALUES (79, 'Can delete employee', 20, 'delete_employee');
INSERT INTO public.auth_permission VALUES (80, 'Can view employee', 20, 'view_employee');
INSERT INTO public.auth_permission VALUES (81, 'Can add tag', 21, 'add_tag');
INSERT INTO public.auth_permission VALUES (82, 'Can change tag', 21, 'change_tag');
INSERT INTO public.auth_permission VALUES (83, 'Can delete tag', 21, 'delete_tag');
INSERT INTO public.auth_permission VALUES (84, 'Can view tag', 21, 'view_tag');
INSERT INTO public.auth_permission VALUES (85, 'Can add product', 22, 'add_product');
INSERT INTO public.auth_permission VALUES (86, 'Can change product', 22, 'change_product');
INSERT INTO public.auth_permission VALUES (87, 'Can delete product', 22, 'delete_product');
INSERT INTO public.auth_permission VALUES (88, 'Can view product', 22, 'view_product');
INSERT INTO public.auth_permission VALUES (89, 'Can add zone', 23, 'add_zone');
INSERT INTO public.auth_permission VALUES (90, 'Can change zone', 23, 'change_zone');
INSERT INTO public.auth_permission VALUES (91, 'Can delete zone', 23, 'delete_zone');
INSERT INTO public.auth_permission VALUES (92, 'Can view zone', 23, 'view_zone');
INSERT INTO public.auth_permission VALUES (93, 'Can add price rule', 24, 'add_pricerule');
INSERT INTO public.auth_permission VALUES (94, 'Can change price rule', 24, 'change_pricerule');
INSERT INTO public.auth_permission VALUES (95, 'Can delete price rule', 24, 'delete_pricerule');
INSERT INTO public.auth_permission VALUES (96, 'Can view price rule', 24, 'view_pricerule');
INSERT INTO public.auth_permission VALUES (97, 'Can add dining table', 25, 'add_diningtable');
INSERT INTO public.auth_permission VALUES (98, 'Can change dining table', 25, 'change_diningtable');
INSERT INTO public.auth_permission VALUES (99, 'Can delete dining table', 25, 'delete_diningtable');
INSERT INTO public.auth_permission VALUES (100, 'Can view dining table', 25, 'view_diningtable');
INSERT INTO public.auth_permission VALUES (101, 'Can add option', 26, 'add_attributeoption');
INSERT INTO public.auth_permission VALUES (102, 'Can change option', 26, 'change_attributeoption');
INSERT INTO public.auth_permission VALUES (103, 'Can delete option', 26, 'delete_attributeoption');
INSERT INTO public.auth_permission VALUES (104, 'Can view option', 26, 'view_attributeoption');
INSERT INTO public.auth_permission VALUES (105, 'Can add album', 27, 'add_album');
INSERT INTO public.auth_permission VALUES (106, 'Can change album', 27, 'change_album');
INSERT INTO public.auth_permission VALUES (107, 'Can delete album', 27, 'delete_album');
INSERT INTO public.auth_permission VALUES (108, 'Can view album', 27, 'view_album');
INSERT INTO public.auth_permission VALUES (109, 'Can add photo', 28, 'add_photo');
INSERT INTO public.auth_permission VALUES (110, 'Can change photo', 28, 'change_photo');
INSERT INTO public.auth_permission VALUES (111, 'Can delete photo', 28, 'delete_photo');
INSERT INTO public.auth_permission VALUES (112, 'Can view photo', 28, 'view_photo');
INSERT INTO public.django_content_type VALUES (1, 'admin', 'logentry');
INSERT INTO public.django_content_type VALUES (2, 'auth', 'permission');
INSERT INTO public.django_content_type VALUES (3, 'auth', 'group');
INSERT INTO public.django_content_type VALUES (4, 'auth', 'user');
INSERT INTO public.django_content_type VALUES (5, 'contenttypes', 'contenttype');
INSERT INTO public.django_content_type VALUES (6, 'sessions', 'session');
INSERT INTO public.django_content_type VALUES (7, 'devices', 'device');
INSERT INTO public.django_content_type VALUES (8, 'devices', 'enrolmentcode');
INSERT INTO public.django_content_type VALUES (9, 'devices', 'failedtry');
INSERT INTO public.django_content_type VALUES (10, 'syncing', 'change');
INSERT INTO public.django_content_type VALUES (11, 'syncing', 'epoch');
INSERT INTO public.django_content_type VALUES (12, 'syncing', 'syncedresource');
INSERT INTO public.django_content_type VALUES (13, 'syncing', 'position');
INSERT INTO public.django_content_type VALUES (14, 'images', 'image');
INSERT INTO public.django_content_type VALUES (15, 'images', 'pass');
INSERT INTO public.django_content_type VALUES (16, 'catalog', 'attribute');
INSERT INTO public.django_content_type VALUES (17, 'catalog', 'printdestination');
INSERT INTO public.django_content_type VALUES (18, 'catalog', 'category');
INSERT INTO public.django_content_type VALUES (19, 'catalog', 'role');
INSERT INTO public.django_content_type VALUES (20, 'catalog', 'employee');
INSERT INTO public.django_content_type VALUES (21, 'catalog', 'tag');
INSERT INTO public.django_content_type VALUES (22, 'catalog', 'product');
INSERT INTO public.django_content_type VALUES (23, 'catalog', 'zone');
INSERT INTO public.django_content_type VALUES (24, 'catalog', 'pricerule');
INSERT INTO public.django_content_type VALUES (25, 'catalog', 'diningtable');
INSERT INTO public.django_content_type VALUES (26, 'catalog', 'attributeoption');
INSERT INTO public.django_content_type VALUES (27, 'uploads', 'album');
INSERT INTO public.django_content_type VALUES (28, 'uploads', 'photo');
INSERT INTO public.django_migrations VALUES (1, 'contenttypes', '0001_initial', '2026-12-01 02:01:51.754841+00');
INSERT INTO public.django_migrations VALUES (2, 'auth', '0001_initial', '2026-12-01 02:01:51.805585+00');
INSERT INTO public.django_migrations VALUES (3, 'admin', '0001_initial', '2026-12-01 02:01:51.836308+00');
INSERT INTO public.django_migrations VALUES (4, 'admin', '0002_logentry_remove_auto_add', '2026-12-01 02:01:51.841579+00');
INSERT INTO public.django_migrations VALUES (5, 'admin', '0003_logentry_add_action_flag_choices', '2026-12-01 02:01:51.848465+00');
INSERT INTO public.django_migrations VALUES (6, 'contenttypes', '0002_remove_content_type_name', '2026-12-01 02:01:51.990018+00');
INSERT INTO public.django_migrations VALUES (7, 'auth', '0002_alter_permission_name_max_length', '2026-12-01 02:01:52.005099+00');
INSERT INTO public.django_migrations VALUES (8, 'auth', '0003_alter_user_email_max_length', '2026-12-01 02:01:52.020757+00');
INSERT INTO public.django_migrations VALUES (9, 'auth', '0004_alter_user_username_opts', '2026-12-01 02:01:52.034666+00');
INSERT INTO public.django_migrations VALUES (10, 'auth', '0005_alter_user_last_login_null', '2026-12-01 02:01:52.049671+00');
INSERT INTO public.django_migrations VALUES (11, 'auth', '0006_require_contenttypes_0002', '2026-12-01 02:01:52.052237+00');
INSERT INTO public.django_migrations VALUES (12, 'auth', '0007_alter_validators_add_error_messages', '2026-12-01 02:01:52.060803+00');
INSERT INTO public.django_migrations VALUES (13, 'auth', '0008_alter_user_username_max_length', '2026-12-01 02:01:52.070283+00');
INSERT INTO public.django_migrations VALUES (14, 'auth', '0009_alter_user_last_name_max_length', '2026-12-01 02:01:52.076825+00');
INSERT INTO public.django_migrations VALUES (15, 'auth', '0010_alter_group_name_max_length', '2026-12-01 02:01:52.081843+00');
INSERT INTO public.django_migrations VALUES (16, 'auth', '0011_update_proxy_permissions', '2026-12-01 02:01:52.086613+00');
INSERT INTO public.django_migrations VALUES (17, 'auth', '0012_alter_user_first_name_max_length', '2026-12-01 02:01:52.090786+00');
INSERT INTO public.django_migrations VALUES (18, 'images', '0001_initial', '2026-12-01 02:01:52.0968+00');
INSERT INTO public.django_migrations VALUES (19, 'catalog', '0001_initial', '2026-12-01 02:01:52.333134+00');
INSERT INTO public.django_migrations VALUES (20, 'devices', '0001_initial', '2026-12-01 02:01:52.348346+00');
INSERT INTO public.django_migrations VALUES (21, 'devices', '0002_certificates', '2026-12-01 02:01:52.359379+00');
INSERT INTO public.django_migrations VALUES (22, 'images', '0002_upkeep', '2026-12-01 02:01:52.394173+00');
INSERT INTO public.django_migrations VALUES (23, 'sessions', '0001_initial', '2026-12-01 02:01:52.412181+00');
INSERT INTO public.django_migrations VALUES (24, 'syncing', '0001_initial', '2026-12-01 02:01:52.428155+00');
INSERT INTO public.django_migrations VALUES (25, 'syncing', '0002_position', '2026-12-01 02:01:52.442957+00');
INSERT INTO public.django_migrations VALUES (26, 'uploads', '0001_initial', '2026-12-01 02:01:52.50028+00');
INSERT INTO public.django_migrations VALUES (27, 'uploads', '0002_oldest_pending', '2026-12-01 02:01:52.520634+00');
INSERT INTO public.syncing_epoch VALUES (1, '9cd4b0d5-ce55-4d79-80b8-acdae56343ee', '2026-12-01 02:01:52.694648+00');
INSERT INTO public.syncing_resource VALUES ('attribute', 0, 0);
INSERT INTO public.syncing_resource VALUES ('category', 0, 0);
INSERT INTO public.syncing_resource VALUES ('dining_table', 0, 0);
INSERT INTO public.syncing_resource VALUES ('employee', 0, 0);
INSERT INTO public.syncing_resource VALUES ('price_rule', 0, 0);
INSERT INTO public.syncing_resource VALUES ('print_destination', 0, 0);
INSERT INTO public.syncing_resource VALUES ('product', 0, 0);
INSERT INTO public.syncing_resource VALUES ('role', 0, 0);
INSERT INTO public.syncing_resource VALUES ('tag', 0, 0);
INSERT INTO public.syncing_resource VALUES ('zone', 0, 0);
SELECT pg_catalog.setval('public.auth_group_id_seq', 1, false);
SELECT pg_catalog.setval('public.auth_group_permissions_id_seq', 1, false);
SELECT pg_catalog.setval('public.auth_permission_id_seq', 112, true);
SELECT pg_catalog.setval('public.auth_user_groups_id_seq', 1, false);
SELECT pg_catalog.setval('public.auth_user_id_seq', 1, false);
SELECT pg_catalog.setval('public.auth_user_user_permissions_id_seq', 1, false);
SELECT pg_catalog.setval('public.catalog_category_print_destinations_id_seq', 1, false);
SELECT pg_catalog.setval('public.catalog_product_attributes_id_seq', 1, false);
SELECT pg_catalog.setval('public.catalog_product_print_destinations_id_seq', 1, false);
SELECT pg_catalog.setval('public.catalog_product_tags_id_seq', 1, false);
SELECT pg_catalog.setval('public.devices_enrolmentcode_id_seq', 1, false);
SELECT pg_catalog.setval('public.devices_failedtry_id_seq', 1, false);
SELECT pg_catalog.setval('public.django_admin_log_id_seq', 1, false);
SELECT pg_catalog.setval('public.django_content_type_id_seq', 28, true);
SELECT pg_catalog.setval('public.django_migrations_id_seq', 27, true);
SELECT pg_catalog.setval('public.images_pass_id_seq', 1, false);
SELECT pg_catalog.setval('public.syncing_pending_seq_seq', 1, false);
ALTER TABLE ONLY public.auth_group
    ADD CONSTRAINT auth_group_name_key UNIQUE (name);
ALTER TABLE ONLY public.auth_group_permissions
    ADD CONSTRAINT auth_group_permissions_group_id_permission_id_0cd325b0_uniq UNIQUE (group_id, permission_id);
ALTER TABLE ONLY public.auth_group_permissions
    ADD CONSTRAINT auth_group_permissions_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.auth_group
    ADD CONSTRAINT auth_group_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.auth_permission
    ADD CONSTRAINT auth_permission_content_type_id_codename_01ab375a_uniq UNIQUE (content_type_id, codename);
ALTER TABLE ONLY public.auth_permission
    ADD CONSTRAINT auth_permission_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.auth_user_groups
    ADD CONSTRAINT auth_user_groups_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.auth_user_groups
    ADD CONSTRAINT auth_user_groups_user_id_group_id_94350c0c_uniq UNIQUE (user_id, group_id);
ALTER TABLE ONLY public.auth_user
    ADD CONSTRAINT auth_user_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.auth_user_user_permissions
    ADD CONSTRAINT auth_user_user_permissions_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.auth_user_user_permissions
    ADD CONSTRAINT auth_user_user_permissions_user_id_permission_id_14a6b632_uniq UNIQUE (user_id, permission_id);
ALTER TABLE ONLY public.auth_user
    ADD CONSTRAINT auth_user_username_key UNIQUE (username);
ALTER TABLE ONLY public.catalog_attribute
    ADD CONSTRAINT catalog_attribute_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.catalog_attributeoption
    ADD CONSTRAINT catalog_attributeoption_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.catalog_category
    ADD CONSTRAINT catalog_category_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.catalog_category_print_destinations
    ADD CONSTRAINT catalog_category_print_d_category_id_printdestina_8ea2eac8_uniq UNIQUE (category_id, printdestination_id);
ALTER TABLE ONLY public.catalog_category_print_destinations
    ADD CONSTRAINT catalog_category_print_destinations_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.catalog_diningtable
    ADD CONSTRAINT catalog_diningtable_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.catalog_employee
    ADD CONSTRAINT catalog_employee_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.catalog_pricerule
    ADD CONSTRAINT catalog_pricerule_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.catalog_printdestination
    ADD CONSTRAINT catalog_printdestination_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.catalog_product_attributes
    ADD CONSTRAINT catalog_product_attribut_product_id_attribute_id_9fe12aab_uniq UNIQUE (product_id, attribute_id);
ALTER TABLE ONLY public.catalog_product_attributes
    ADD CONSTRAINT catalog_product_attributes_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.catalog_product
    ADD CONSTRAINT catalog_product_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.catalog_product_print_destinations
    ADD CONSTRAINT catalog_product_print_de_product_id_printdestinat_8f3f1824_uniq UNIQUE (product_id, printdestination_id);
ALTER TABLE ONLY public.catalog_product_print_destinations
    ADD CONSTRAINT catalog_product_print_destinations_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.catalog_product_tags
    ADD CONSTRAINT catalog_product_tags_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.catalog_product_tags
    ADD CONSTRAINT catalog_product_tags_product_id_tag_id_daa0ee1f_uniq UNIQUE (product_id, tag_id);
ALTER TABLE ONLY public.catalog_role
    ADD CONSTRAINT catalog_role_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.catalog_tag
    ADD CONSTRAINT catalog_tag_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.catalog_zone
    ADD CONSTRAINT catalog_zone_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.devices_device
    ADD CONSTRAINT devices_device_certificate_fingerprint_key UNIQUE (certificate_fingerprint);
ALTER TABLE ONLY public.devices_device
    ADD CONSTRAINT devices_device_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.devices_device
    ADD CONSTRAINT devices_device_token_hash_key UNIQUE (token_hash);
ALTER TABLE ONLY public.devices_enrolmentcode
    ADD CONSTRAINT devices_enrolmentcode_code_hash_key UNIQUE (code_hash);
ALTER TABLE ONLY public.devices_enrolmentcode
    ADD CONSTRAINT devices_enrolmentcode_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.devices_failedtry
    ADD CONSTRAINT devices_failedtry_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.django_admin_log
    ADD CONSTRAINT django_admin_log_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.django_content_type
    ADD CONSTRAINT django_content_type_app_label_model_76bd3d3b_uniq UNIQUE (app_label, model);
ALTER TABLE ONLY public.django_content_type
    ADD CONSTRAINT django_content_type_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.django_migrations
    ADD CONSTRAINT django_migrations_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.django_session
    ADD CONSTRAINT django_session_pkey PRIMARY KEY (session_key);
ALTER TABLE ONLY public.images_image
    ADD CONSTRAINT images_image_pkey PRIMARY KEY (hash);
ALTER TABLE ONLY public.images_pass
    ADD CONSTRAINT images_pass_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.syncing_change
    ADD CONSTRAINT syncing_change_pkey PRIMARY KEY (resource, version);
ALTER TABLE ONLY public.syncing_epoch
    ADD CONSTRAINT syncing_epoch_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.syncing_pending
    ADD CONSTRAINT syncing_pending_pkey PRIMARY KEY (xid, seq);
ALTER TABLE ONLY public.syncing_position
    ADD CONSTRAINT syncing_position_pkey PRIMARY KEY (device_id);
ALTER TABLE ONLY public.syncing_resource
    ADD CONSTRAINT syncing_resource_pkey PRIMARY KEY (name);
ALTER TABLE ONLY public.uploads_album
    ADD CONSTRAINT uploads_album_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.uploads_photo
    ADD CONSTRAINT uploads_photo_pkey PRIMARY KEY (id);
CREATE INDEX album_by_creation ON public.uploads_album USING btree (created_at DESC);
CREATE UNIQUE INDEX attribute_name_is_unique ON public.catalog_attribute USING btree (lower((name)::text));
CREATE INDEX auth_group_name_a6ea08ec_like ON public.auth_group USING btree (name varchar_pattern_ops);
CREATE INDEX auth_group_permissions_group_id_b120cbf9 ON public.auth_group_permissions USING btree (group_id);
CREATE INDEX auth_group_permissions_permission_id_84c5c92e ON public.auth_group_permissions USING btree (permission_id);
CREATE INDEX auth_permission_content_type_id_2f476e4b ON public.auth_permission USING btree (content_type_id);
CREATE INDEX auth_user_groups_group_id_97559544 ON public.auth_user_groups USING btree (group_id);
CREATE INDEX auth_user_groups_user_id_6a12ed8b ON public.auth_user_groups USING btree (user_id);
CREATE INDEX auth_user_user_permissions_permission_id_1fbb5f2c ON public.auth_user_user_permissions USING btree (permission_id);
CREATE INDEX auth_user_user_permissions_user_id_a95ead1b ON public.auth_user_user_permissions USING btree (user_id);
CREATE INDEX auth_user_username_6821ab7c_like ON public.auth_user USING btree (username varchar_pattern_ops);
CREATE UNIQUE INDEX barcode_is_unique_when_set ON public.catalog_product USING btree (barcode) WHERE (NOT ((barcode)::text = ''::text));
CREATE INDEX catalog_attributeoption_attribute_id_5c946495 ON public.catalog_attributeoption USING btree (attribute_id);
CREATE INDEX catalog_category_parent_id_f61bd017 ON public.catalog_category USING btree (parent_id);
CREATE INDEX catalog_category_print_des_printdestination_id_041d929a ON public.catalog_category_print_destinations USING btree (printdestination_id);
CREATE INDEX catalog_category_print_destinations_category_id_d4ad98fd ON public.catalog_category_print_destinations USING btree (category_id);
CREATE INDEX catalog_diningtable_zone_id_01ca65de ON public.catalog_diningtable USING btree (zone_id);
CREATE INDEX catalog_employee_role_id_f62c28bb ON public.catalog_employee USING btree (role_id);
CREATE INDEX catalog_pricerule_category_id_deedf05b ON public.catalog_pricerule USING btree (category_id);
CREATE INDEX catalog_pricerule_product_id_62de11ed ON public.catalog_pricerule USING btree (product_id);
CREATE INDEX catalog_pricerule_tag_id_fc2aa5df ON public.catalog_pricerule USING btree (tag_id);
CREATE INDEX catalog_pricerule_zone_id_c4badc38 ON public.catalog_pricerule USING btree (zone_id);
CREATE INDEX catalog_printdestination_fallback_id_3755bfe4 ON public.catalog_printdestination USING btree (fallback_id);
CREATE INDEX catalog_product_attributes_attribute_id_6ac33daa ON public.catalog_product_attributes USING btree (attribute_id);
CREATE INDEX catalog_product_attributes_product_id_fa7721a7 ON public.catalog_product_attributes USING btree (product_id);
CREATE INDEX catalog_product_category_id_35bf920b ON public.catalog_product USING btree (category_id);
CREATE INDEX catalog_product_image_id_ba8ae05c ON public.catalog_product USING btree (image_id);
CREATE INDEX catalog_product_image_id_ba8ae05c_like ON public.catalog_product USING btree (image_id varchar_pattern_ops);
CREATE INDEX catalog_product_print_destinations_printdestination_id_2969d6f6 ON public.catalog_product_print_destinations USING btree (printdestination_id);
CREATE INDEX catalog_product_print_destinations_product_id_e4a323a0 ON public.catalog_product_print_destinations USING btree (product_id);
CREATE INDEX catalog_product_tags_product_id_293d7e82 ON public.catalog_product_tags USING btree (product_id);
CREATE INDEX catalog_product_tags_tag_id_fb8826f6 ON public.catalog_product_tags USING btree (tag_id);
CREATE UNIQUE INDEX category_name_is_unique_at_the_top ON public.catalog_category USING btree (lower((name)::text)) WHERE (parent_id IS NULL);
CREATE UNIQUE INDEX category_name_is_unique_in_its_parent ON public.catalog_category USING btree (lower((name)::text), parent_id);
CREATE INDEX devices_device_certificate_fingerprint_00e4c27e_like ON public.devices_device USING btree (certificate_fingerprint varchar_pattern_ops);
CREATE INDEX devices_device_token_hash_7a1ad660_like ON public.devices_device USING btree (token_hash varchar_pattern_ops);
CREATE INDEX devices_enrolmentcode_code_hash_3eb9f0d9_like ON public.devices_enrolmentcode USING btree (code_hash varchar_pattern_ops);
CREATE INDEX devices_enrolmentcode_created_by_id_3325c733 ON public.devices_enrolmentcode USING btree (created_by_id);
CREATE INDEX devices_enrolmentcode_device_id_bdd3f456 ON public.devices_enrolmentcode USING btree (device_id);
CREATE INDEX django_admin_log_content_type_id_c4bce8eb ON public.django_admin_log USING btree (content_type_id);
CREATE INDEX django_admin_log_user_id_c564eba6 ON public.django_admin_log USING btree (user_id);
CREATE INDEX django_session_expire_date_a5c62663 ON public.django_session USING btree (expire_date);
CREATE INDEX django_session_session_key_c0390e0f_like ON public.django_session USING btree (session_key varchar_pattern_ops);
CREATE UNIQUE INDEX employee_code_is_unique ON public.catalog_employee USING btree (code);
CREATE INDEX failed_try_by_key_and_time ON public.devices_failedtry USING btree (key, at);
CREATE INDEX failed_try_by_time ON public.devices_failedtry USING btree (at);
CREATE INDEX image_by_checked ON public.images_image USING btree (checked_at, hash);
CREATE INDEX image_by_damaged ON public.images_image USING btree (damaged_at) WHERE (damaged_at IS NOT NULL);
CREATE INDEX image_by_status_and_wanted ON public.images_image USING btree (status, wanted_at);
CREATE INDEX image_by_unreferenced ON public.images_image USING btree (unreferenced_since) WHERE (unreferenced_since IS NOT NULL);
CREATE INDEX images_image_hash_ed96dde7_like ON public.images_image USING btree (hash varchar_pattern_ops);
CREATE UNIQUE INDEX option_name_is_unique_in_its_attribute ON public.catalog_attributeoption USING btree (attribute_id, lower((name)::text));
CREATE INDEX pass_by_kind_and_start ON public.images_pass USING btree (kind, started_at DESC);
CREATE INDEX photo_by_album_and_status ON public.uploads_photo USING btree (album_id, status);
CREATE INDEX photo_by_creation ON public.uploads_photo USING btree (created_at DESC);
CREATE INDEX photo_pending_by_check ON public.uploads_photo USING btree (checked_at, created_at) WHERE ((status)::text = 'pending'::text);
CREATE INDEX photo_pending_by_creation ON public.uploads_photo USING btree (created_at) WHERE ((status)::text = 'pending'::text);
CREATE INDEX photo_processing_by_lease ON public.uploads_photo USING btree (lease_expires_at) WHERE ((status)::text = 'processing'::text);
CREATE UNIQUE INDEX print_destination_name_is_unique ON public.catalog_printdestination USING btree (lower((name)::text));
CREATE UNIQUE INDEX role_name_is_unique ON public.catalog_role USING btree (lower((name)::text));
CREATE UNIQUE INDEX sku_is_unique_when_set ON public.catalog_product USING btree (sku) WHERE (NOT ((sku)::text = ''::text));
CREATE INDEX syncing_resource_name_688419be_like ON public.syncing_resource USING btree (name varchar_pattern_ops);
CREATE UNIQUE INDEX table_name_is_unique_in_its_zone ON public.catalog_diningtable USING btree (zone_id, lower((name)::text));
CREATE UNIQUE INDEX tag_name_is_unique ON public.catalog_tag USING btree (lower((name)::text));
CREATE INDEX uploads_photo_image_id_8210e05c ON public.uploads_photo USING btree (image_id);
CREATE INDEX uploads_photo_image_id_8210e05c_like ON public.uploads_photo USING btree (image_id varchar_pattern_ops);
CREATE INDEX uploads_photo_product_id_7efe6b4f ON public.uploads_photo USING btree (product_id);
CREATE UNIQUE INDEX zone_name_is_unique ON public.catalog_zone USING btree (lower((name)::text));
CREATE TRIGGER capture_attribute_catalog_attribute_delete AFTER DELETE ON public.catalog_attribute REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT EXECUTE FUNCTION public.capture_attribute_catalog_attribute_delete();
CREATE TRIGGER capture_attribute_catalog_attribute_insert AFTER INSERT ON public.catalog_attribute REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION public.capture_attribute_catalog_attribute_insert();
CREATE TRIGGER capture_attribute_catalog_attribute_truncate BEFORE TRUNCATE ON public.catalog_attribute FOR EACH STATEMENT EXECUTE FUNCTION public.capture_attribute_catalog_attribute_truncate();
CREATE TRIGGER capture_attribute_catalog_attribute_update AFTER UPDATE ON public.catalog_attribute REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION public.capture_attribute_catalog_attribute_update();
CREATE TRIGGER capture_attribute_catalog_attributeoption_delete AFTER DELETE ON public.catalog_attributeoption REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT EXECUTE FUNCTION public.capture_attribute_catalog_attributeoption_delete();
CREATE TRIGGER capture_attribute_catalog_attributeoption_insert AFTER INSERT ON public.catalog_attributeoption REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION public.capture_attribute_catalog_attributeoption_insert();
CREATE TRIGGER capture_attribute_catalog_attributeoption_truncate BEFORE TRUNCATE ON public.catalog_attributeoption FOR EACH STATEMENT EXECUTE FUNCTION public.capture_attribute_catalog_attributeoption_truncate();
CREATE TRIGGER capture_attribute_catalog_attributeoption_update AFTER UPDATE ON public.catalog_attributeoption REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION public.capture_attribute_catalog_attributeoption_update();
CREATE TRIGGER capture_category_catalog_category_delete AFTER DELETE ON public.catalog_category REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT EXECUTE FUNCTION public.capture_category_catalog_category_delete();
CREATE TRIGGER capture_category_catalog_category_insert AFTER INSERT ON public.catalog_category REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION public.capture_category_catalog_category_insert();
CREATE TRIGGER capture_category_catalog_category_print_destinations_delete AFTER DELETE ON public.catalog_category_print_destinations REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT EXECUTE FUNCTION public.capture_category_catalog_category_print_destinations_delete();
CREATE TRIGGER capture_category_catalog_category_print_destinations_insert AFTER INSERT ON public.catalog_category_print_destinations REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION public.capture_category_catalog_category_print_destinations_insert();
CREATE TRIGGER capture_category_catalog_category_print_destinations_truncate BEFORE TRUNCATE ON public.catalog_category_print_destinations FOR EACH STATEMENT EXECUTE FUNCTION public.capture_category_catalog_category_print_destinations_truncate();
CREATE TRIGGER capture_category_catalog_category_print_destinations_update AFTER UPDATE ON public.catalog_category_print_destinations REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION public.capture_category_catalog_category_print_destinations_update();
CREATE TRIGGER capture_category_catalog_category_truncate BEFORE TRUNCATE ON public.catalog_category FOR EACH STATEMENT EXECUTE FUNCTION public.capture_category_catalog_category_truncate();
CREATE TRIGGER capture_category_catalog_category_update AFTER UPDATE ON public.catalog_category REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION public.capture_category_catalog_category_update();
CREATE TRIGGER capture_dining_table_catalog_diningtable_delete AFTER DELETE ON public.catalog_diningtable REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT EXECUTE FUNCTION public.capture_dining_table_catalog_diningtable_delete();
CREATE TRIGGER capture_dining_table_catalog_diningtable_insert AFTER INSERT ON public.catalog_diningtable REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION public.capture_dining_table_catalog_diningtable_insert();
CREATE TRIGGER capture_dining_table_catalog_diningtable_truncate BEFORE TRUNCATE ON public.catalog_diningtable FOR EACH STATEMENT EXECUTE FUNCTION public.capture_dining_table_catalog_diningtable_truncate();
CREATE TRIGGER capture_dining_table_catalog_diningtable_update AFTER UPDATE ON public.catalog_diningtable REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION public.capture_dining_table_catalog_diningtable_update();
CREATE TRIGGER capture_employee_catalog_employee_delete AFTER DELETE ON public.catalog_employee REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT EXECUTE FUNCTION public.capture_employee_catalog_employee_delete();
CREATE TRIGGER capture_employee_catalog_employee_insert AFTER INSERT ON public.catalog_employee REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION public.capture_employee_catalog_employee_insert();
CREATE TRIGGER capture_employee_catalog_employee_truncate BEFORE TRUNCATE ON public.catalog_employee FOR EACH STATEMENT EXECUTE FUNCTION public.capture_employee_catalog_employee_truncate();
CREATE TRIGGER capture_employee_catalog_employee_update AFTER UPDATE ON public.catalog_employee REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION public.capture_employee_catalog_employee_update();
CREATE TRIGGER capture_epoch AFTER INSERT OR UPDATE ON public.syncing_epoch FOR EACH STATEMENT EXECUTE FUNCTION public.capture_epoch();
CREATE CONSTRAINT TRIGGER capture_flush AFTER INSERT ON public.syncing_pending DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION public.capture_flush();
CREATE TRIGGER capture_forget AFTER TRUNCATE ON public.syncing_resource FOR EACH STATEMENT EXECUTE FUNCTION public.capture_forget();
CREATE TRIGGER capture_price_rule_catalog_pricerule_delete AFTER DELETE ON public.catalog_pricerule REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT EXECUTE FUNCTION public.capture_price_rule_catalog_pricerule_delete();
CREATE TRIGGER capture_price_rule_catalog_pricerule_insert AFTER INSERT ON public.catalog_pricerule REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION public.capture_price_rule_catalog_pricerule_insert();
CREATE TRIGGER capture_price_rule_catalog_pricerule_truncate BEFORE TRUNCATE ON public.catalog_pricerule FOR EACH STATEMENT EXECUTE FUNCTION public.capture_price_rule_catalog_pricerule_truncate();
CREATE TRIGGER capture_price_rule_catalog_pricerule_update AFTER UPDATE ON public.catalog_pricerule REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION public.capture_price_rule_catalog_pricerule_update();
CREATE TRIGGER capture_print_destination_catalog_printdestination_delete AFTER DELETE ON public.catalog_printdestination REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT EXECUTE FUNCTION public.capture_print_destination_catalog_printdestination_delete();
CREATE TRIGGER capture_print_destination_catalog_printdestination_insert AFTER INSERT ON public.catalog_printdestination REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION public.capture_print_destination_catalog_printdestination_insert();
CREATE TRIGGER capture_print_destination_catalog_printdestination_truncate BEFORE TRUNCATE ON public.catalog_printdestination FOR EACH STATEMENT EXECUTE FUNCTION public.capture_print_destination_catalog_printdestination_truncate();
CREATE TRIGGER capture_print_destination_catalog_printdestination_update AFTER UPDATE ON public.catalog_printdestination REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION public.capture_print_destination_catalog_printdestination_update();
CREATE TRIGGER capture_product_catalog_product_attributes_delete AFTER DELETE ON public.catalog_product_attributes REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT EXECUTE FUNCTION public.capture_product_catalog_product_attributes_delete();
CREATE TRIGGER capture_product_catalog_product_attributes_insert AFTER INSERT ON public.catalog_product_attributes REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION public.capture_product_catalog_product_attributes_insert();
CREATE TRIGGER capture_product_catalog_product_attributes_truncate BEFORE TRUNCATE ON public.catalog_product_attributes FOR EACH STATEMENT EXECUTE FUNCTION public.capture_product_catalog_product_attributes_truncate();
CREATE TRIGGER capture_product_catalog_product_attributes_update AFTER UPDATE ON public.catalog_product_attributes REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION public.capture_product_catalog_product_attributes_update();
CREATE TRIGGER capture_product_catalog_product_delete AFTER DELETE ON public.catalog_product REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT EXECUTE FUNCTION public.capture_product_catalog_product_delete();
CREATE TRIGGER capture_product_catalog_product_insert AFTER INSERT ON public.catalog_product REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION public.capture_product_catalog_product_insert();
CREATE TRIGGER capture_product_catalog_product_print_destinations_delete AFTER DELETE ON public.catalog_product_print_destinations REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT EXECUTE FUNCTION public.capture_product_catalog_product_print_destinations_delete();
CREATE TRIGGER capture_product_catalog_product_print_destinations_insert AFTER INSERT ON public.catalog_product_print_destinations REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION public.capture_product_catalog_product_print_destinations_insert();
CREATE TRIGGER capture_product_catalog_product_print_destinations_truncate BEFORE TRUNCATE ON public.catalog_product_print_destinations FOR EACH STATEMENT EXECUTE FUNCTION public.capture_product_catalog_product_print_destinations_truncate();
CREATE TRIGGER capture_product_catalog_product_print_destinations_update AFTER UPDATE ON public.catalog_product_print_destinations REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION public.capture_product_catalog_product_print_destinations_update();
CREATE TRIGGER capture_product_catalog_product_tags_delete AFTER DELETE ON public.catalog_product_tags REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT EXECUTE FUNCTION public.capture_product_catalog_product_tags_delete();
CREATE TRIGGER capture_product_catalog_product_tags_insert AFTER INSERT ON public.catalog_product_tags REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION public.capture_product_catalog_product_tags_insert();
CREATE TRIGGER capture_product_catalog_product_tags_truncate BEFORE TRUNCATE ON public.catalog_product_tags FOR EACH STATEMENT EXECUTE FUNCTION public.capture_product_catalog_product_tags_truncate();
CREATE TRIGGER capture_product_catalog_product_tags_update AFTER UPDATE ON public.catalog_product_tags REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION public.capture_product_catalog_product_tags_update();
CREATE TRIGGER capture_product_catalog_product_truncate BEFORE TRUNCATE ON public.catalog_product FOR EACH STATEMENT EXECUTE FUNCTION public.capture_product_catalog_product_truncate();
CREATE TRIGGER capture_product_catalog_product_update AFTER UPDATE ON public.catalog_product REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION public.capture_product_catalog_product_update();
CREATE TRIGGER capture_role_catalog_role_delete AFTER DELETE ON public.catalog_role REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT EXECUTE FUNCTION public.capture_role_catalog_role_delete();
CREATE TRIGGER capture_role_catalog_role_insert AFTER INSERT ON public.catalog_role REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION public.capture_role_catalog_role_insert();
CREATE TRIGGER capture_role_catalog_role_truncate BEFORE TRUNCATE ON public.catalog_role FOR EACH STATEMENT EXECUTE FUNCTION public.capture_role_catalog_role_truncate();
CREATE TRIGGER capture_role_catalog_role_update AFTER UPDATE ON public.catalog_role REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION public.capture_role_catalog_role_update();
CREATE TRIGGER capture_tag_catalog_tag_delete AFTER DELETE ON public.catalog_tag REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT EXECUTE FUNCTION public.capture_tag_catalog_tag_delete();
CREATE TRIGGER capture_tag_catalog_tag_insert AFTER INSERT ON public.catalog_tag REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION public.capture_tag_catalog_tag_insert();
CREATE TRIGGER capture_tag_catalog_tag_truncate BEFORE TRUNCATE ON public.catalog_tag FOR EACH STATEMENT EXECUTE FUNCTION public.capture_tag_catalog_tag_truncate();
CREATE TRIGGER capture_tag_catalog_tag_update AFTER UPDATE ON public.catalog_tag REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION public.capture_tag_catalog_tag_update();
CREATE TRIGGER capture_zone_catalog_zone_delete AFTER DELETE ON public.catalog_zone REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT EXECUTE FUNCTION public.capture_zone_catalog_zone_delete();
CREATE TRIGGER capture_zone_catalog_zone_insert AFTER INSERT ON public.catalog_zone REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION public.capture_zone_catalog_zone_insert();
CREATE TRIGGER capture_zone_catalog_zone_truncate BEFORE TRUNCATE ON public.catalog_zone FOR EACH STATEMENT EXECUTE FUNCTION public.capture_zone_catalog_zone_truncate();
CREATE TRIGGER capture_zone_catalog_zone_update AFTER UPDATE ON public.catalog_zone REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION public.capture_zone_catalog_zone_update();
ALTER TABLE ONLY public.auth_group_permissions
    ADD CONSTRAINT auth_group_permissio_permission_id_84c5c92e_fk_auth_perm FOREIGN KEY (permission_id) REFERENCES public.auth_permission(id) DEFERRABLE INITIALLY DEFERRED;
ALTER TABLE ONLY public.auth_group_permissions
    ADD CONSTRAINT auth_group_permissions_group_id_b120cbf9_fk_auth_group_id FOREIGN KEY (group_id) REFERENCES public.auth_group(id) DEFERRABLE INITIALLY DEFERRED;
ALTER TABLE ONLY public.auth_permission
    ADD CONSTRAINT auth_permission_content_type_id_2f476e4b_fk_django_co FOREIGN KEY (content_type_id) REFERENCES public.django_content_type(id) DEFERRABLE INITIALLY DEFERRED;
ALTER TABLE ONLY public.auth_user_groups
    ADD CONSTRAINT auth_user_groups_group_id_97559544_fk_auth_group_id FOREIGN KEY (group_id) REFERENCES public.auth_group(id) DEFERRABLE INITIALLY DEFERRED;
ALTER TABLE ONLY public.auth_user_groups
    ADD CONSTRAINT auth_user_groups_user_id_6a12ed8b_fk_auth_user_id FOREIGN KEY (user_id) REFERENCES public.auth_user(id) DEFERRABLE INITIALLY DEFERRED;
ALTER TABLE ONLY public.auth_user_user_permissions
    ADD CONSTRAINT auth_user_user_permi_permission_id_1fbb5f2c_fk_auth_perm FOREIGN KEY (permission_id) REFERENCES public.auth_permission(id) DEFERRABLE INITIALLY DEFERRED;
ALTER TABLE ONLY public.auth_user_user_permissions
    ADD CONSTRAINT auth_user_user_permissions_user_id_a95ead1b_fk_auth_user_id FOREIGN KEY (user_id) REFERENCES public.auth_user(id) DEFERRABLE INITIALLY DEFERRED;
ALTER TABLE ONLY public.catalog_attributeoption
    ADD CONSTRAINT catalog_attributeopt_attribute_id_5c946495_fk_catalog_a FOREIGN KEY (attribute_id) REFERENCES public.catalog_attribute(id) DEFERRABLE INITIALLY DEFERRED;
ALTER TABLE ONLY public.catalog_category
    ADD CONSTRAINT catalog_category_parent_id_f61bd017_fk_catalog_category_id FOREIGN KEY (parent_id) REFERENCES public.catalog_category(id) DEFERRABLE INITIALLY DEFERRED;
ALTER TABLE ONLY public.catalog_category_print_destinations
    ADD CONSTRAINT catalog_category_pri_category_id_d4ad98fd_fk_catalog_c FOREIGN KEY (category_id) REFERENCES public.catalog_category(id) DEFERRABLE INITIALLY DEFERRED;
ALTER TABLE ONLY public.catalog_category_print_destinations
    ADD CONSTRAINT catalog_category_pri_printdestination_id_041d929a_fk_catalog_p FOREIGN KEY (printdestination_id) REFERENCES public.catalog_printdestination(id) DEFERRABLE INITIALLY DEFERRED;
ALTER TABLE ONLY public.catalog_diningtable
    ADD CONSTRAINT catalog_diningtable_zone_id_01ca65de_fk_catalog_zone_id FOREIGN KEY (zone_id) REFERENCES public.catalog_zone(id) DEFERRABLE INITIALLY DEFERRED;
ALTER TABLE ONLY public.catalog_employee
    ADD CONSTRAINT catalog_employee_role_id_f62c28bb_fk_catalog_role_id FOREIGN KEY (role_id) REFERENCES public.catalog_role(id) DEFERRABLE INITIALLY DEFERRED;
ALTER TABLE ONLY public.catalog_pricerule
    ADD CONSTRAINT catalog_pricerule_category_id_deedf05b_fk_catalog_category_id FOREIGN KEY (category_id) REFERENCES public.catalog_category(id) DEFERRABLE INITIALLY DEFERRED;
ALTER TABLE ONLY public.catalog_pricerule
    ADD CONSTRAINT catalog_pricerule_product_id_62de11ed_fk_catalog_product_id FOREIGN KEY (product_id) REFERENCES public.catalog_product(id) DEFERRABLE INITIALLY DEFERRED;
ALTER TABLE ONLY public.catalog_pricerule
    ADD CONSTRAINT catalog_pricerule_tag_id_fc2aa5df_fk_catalog_tag_id FOREIGN KEY (tag_id) REFERENCES public.catalog_tag(id) DEFERRABLE INITIALLY DEFERRED;
ALTER TABLE ONLY public.catalog_pricerule
    ADD CONSTRAINT catalog_pricerule_zone_id_c4badc38_fk_catalog_zone_id FOREIGN KEY (zone_id) REFERENCES public.catalog_zone(id) DEFERRABLE INITIALLY DEFERRED;
ALTER TABLE ONLY public.catalog_printdestination
    ADD CONSTRAINT catalog_printdestina_fallback_id_3755bfe4_fk_catalog_p FOREIGN KEY (fallback_id) REFERENCES public.catalog_printdestination(id) DEFERRABLE INITIALLY DEFERRED;
ALTER TABLE ONLY public.catalog_product_attributes
    ADD CONSTRAINT catalog_product_attr_attribute_id_6ac33daa_fk_catalog_a FOREIGN KEY (attribute_id) REFERENCES public.catalog_attribute(id) DEFERRABLE INITIALLY DEFERRED;
ALTER TABLE ONLY public.catalog_product_attributes
    ADD CONSTRAINT catalog_product_attr_product_id_fa7721a7_fk_catalog_p FOREIGN KEY (product_id) REFERENCES public.catalog_product(id) DEFERRABLE INITIALLY DEFERRED;
ALTER TABLE ONLY public.catalog_product
    ADD CONSTRAINT catalog_product_category_id_35bf920b_fk_catalog_category_id FOREIGN KEY (category_id) REFERENCES public.catalog_category(id) DEFERRABLE INITIALLY DEFERRED;
ALTER TABLE ONLY public.catalog_product
    ADD CONSTRAINT catalog_product_image_id_ba8ae05c_fk_images_image_hash FOREIGN KEY (image_id) REFERENCES public.images_image(hash) DEFERRABLE INITIALLY DEFERRED;
ALTER TABLE ONLY public.catalog_product_print_destinations
    ADD CONSTRAINT catalog_product_prin_printdestination_id_2969d6f6_fk_catalog_p FOREIGN KEY (printdestination_id) REFERENCES public.catalog_printdestination(id) DEFERRABLE INITIALLY DEFERRED;
ALTER TABLE ONLY public.catalog_product_print_destinations
    ADD CONSTRAINT catalog_product_prin_product_id_e4a323a0_fk_catalog_p FOREIGN KEY (product_id) REFERENCES public.catalog_product(id) DEFERRABLE INITIALLY DEFERRED;
ALTER TABLE ONLY public.catalog_product_tags
    ADD CONSTRAINT catalog_product_tags_product_id_293d7e82_fk_catalog_product_id FOREIGN KEY (product_id) REFERENCES public.catalog_product(id) DEFERRABLE INITIALLY DEFERRED;
ALTER TABLE ONLY public.catalog_product_tags
    ADD CONSTRAINT catalog_product_tags_tag_id_fb8826f6_fk_catalog_tag_id FOREIGN KEY (tag_id) REFERENCES public.catalog_tag(id) DEFERRABLE INITIALLY DEFERRED;
ALTER TABLE ONLY public.devices_enrolmentcode
    ADD CONSTRAINT devices_enrolmentcode_created_by_id_3325c733_fk_auth_user_id FOREIGN KEY (created_by_id) REFERENCES public.auth_user(id) DEFERRABLE INITIALLY DEFERRED;
ALTER TABLE ONLY public.devices_enrolmentcode
    ADD CONSTRAINT devices_enrolmentcode_device_id_bdd3f456_fk_devices_device_id FOREIGN KEY (device_id) REFERENCES public.devices_device(id) DEFERRABLE INITIALLY DEFERRED;
ALTER TABLE ONLY public.django_admin_log
    ADD CONSTRAINT django_admin_log_content_type_id_c4bce8eb_fk_django_co FOREIGN KEY (content_type_id) REFERENCES public.django_content_type(id) DEFERRABLE INITIALLY DEFERRED;
ALTER TABLE ONLY public.django_admin_log
    ADD CONSTRAINT django_admin_log_user_id_c564eba6_fk_auth_user_id FOREIGN KEY (user_id) REFERENCES public.auth_user(id) DEFERRABLE INITIALLY DEFERRED;
ALTER TABLE ONLY public.uploads_photo
    ADD CONSTRAINT uploads_photo_album_id_238b4d9a_fk_uploads_album_id FOREIGN KEY (album_id) REFERENCES public.uploads_album(id) DEFERRABLE INITIALLY DEFERRED;
ALTER TABLE ONLY public.uploads_photo
    ADD CONSTRAINT uploads_photo_image_id_8210e05c_fk_images_image_hash FOREIGN KEY (image_id) REFERENCES public.images_image(hash) DEFERRABLE INITIALLY DEFERRED;
ALTER TABLE ONLY public.uploads_photo
    ADD CONSTRAINT uploads_photo_product_id_7efe6b4f_fk_catalog_product_id FOREIGN KEY (product_id) REFERENCES public.catalog_product(id) DEFERRABLE INITIALLY DEFERRED;
