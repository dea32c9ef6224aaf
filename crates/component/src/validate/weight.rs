//! How much a component makes out of what it defines once.
//!
//! An instance costs a few bytes in the file, and a copy of the component's exports in the validator: a file of a hundred
//! kilobytes can ask for gigabytes. The same holds for types that mention types, and for imports of them. wasmparser bounds
//! each single type and module but not their sum, so the sum is bounded here.

use std::collections::HashMap;

use wasmparser::{
    BinaryReader, ComponentExternalKind, ComponentInstance, ComponentTypeRef, ComponentTypeSectionReader, Instance,
    Payload, SectionLimited,
    component_types::{
        ComponentAnyTypeId, ComponentEntityType, ComponentInstanceTypeId, ComponentItem, ComponentTypeId,
    },
    types::TypesRef,
};

use crate::invalid::Invalid;

/// The most imports and exports of all modules and components, and, counted again each time, of everything that they
/// instantiate, import, export or name as a type. Each takes about 200 bytes in the validator.
const MAX_WEIGHT: u64 = 500_000;

/// The most bytes in sections of types, of all modules and components together. Each can take fifty in the validator.
const MAX_TYPES: u64 = 4 << 20;

/// How many bytes of a name weigh as much as an import or export without a name.
const NAME_UNIT: u64 = 128;

#[derive(Default)]
pub(super) struct Weight {
    total: u64,
    /// The sizes of sections of types.
    types: u64,
    /// The weight of the heaviest type so far, for what is not known before it is validated.
    heaviest: u64,
    instances: HashMap<ComponentInstanceTypeId, u64>,
    components: HashMap<ComponentTypeId, u64>,
}

impl Weight {
    /// Adds what validating `payload` will make, where `types` are those of the component that it stands in.
    pub(super) fn add(&mut self, payload: &Payload<'_>, types: TypesRef<'_>, at: u64) -> Result<(), Invalid> {
        match payload {
            Payload::TypeSection(section) => self.add_types(section),
            Payload::CoreTypeSection(section) => self.add_types(section),
            Payload::ComponentTypeSection(section) => self.add_types(section),
            Payload::ImportSection(section) => self.charge(u64::from(section.count()), at),
            Payload::ExportSection(section) => self.charge(u64::from(section.count()), at),
            Payload::InstanceSection(section) => each(section, |instance| {
                if let Instance::Instantiate { module_index, .. } = instance
                    && module_index < types.module_count()
                {
                    let module = &types[types.module_at(module_index)];
                    self.charge((module.imports.len() + module.exports.len()) as u64, at)?;
                }
                Ok(())
            }),
            Payload::ComponentInstanceSection(section) => each(section, |instance| match instance {
                ComponentInstance::Instantiate { component_index, .. } => {
                    let weight = self.component_at(component_index, types);
                    self.charge(weight, at)
                }
                ComponentInstance::FromExports(_) => Ok(()),
            }),
            Payload::ComponentImportSection(section) => each(section, |import| match import.ty {
                ComponentTypeRef::Instance(index) | ComponentTypeRef::Component(index) => {
                    let weight = self.type_at(index, types);
                    self.charge(weight, at)
                }
                _ => self.charge(1, at),
            }),
            Payload::ComponentExportSection(section) => each(section, |export| {
                let weight = match export.kind {
                    ComponentExternalKind::Instance => self.instance_at(export.index, types),
                    ComponentExternalKind::Component => self.component_at(export.index, types),
                    _ => 1,
                };
                self.charge(weight, at)
            }),
            _ => Ok(()),
        }
    }

    /// Validates a section of types one by one, each being known before the next; `content` is the whole section.
    pub(super) fn validate_types(
        &mut self,
        section: &ComponentTypeSectionReader<'_>,
        content: &[u8],
        validator: &mut wasmparser::Validator,
    ) -> Result<(), Invalid> {
        let features = *validator.features();
        let start = section.range().start;
        let offsets: Vec<u64> = section
            .clone()
            .into_iter_with_offsets()
            .map(|item| Ok(item?.0))
            .collect::<Result<_, wasmparser::Error>>()?;
        let place = |offset: u64| usize::try_from(offset - start).unwrap_or(usize::MAX);
        for (index, &offset) in offsets.iter().enumerate() {
            let end = offsets.get(index + 1).map_or(content.len(), |next| place(*next));
            let mut single = vec![1];
            single.extend_from_slice(content.get(place(offset)..end).unwrap_or_default());
            let reader = BinaryReader::new_features(&single, offset.saturating_sub(1), features);
            validator.component_type_section(&SectionLimited::new(reader)?)?;
            if let Some(types) = validator.types(0)
                && let Some(newest) = types.component_type_count().checked_sub(1)
            {
                let weight = self.type_at(newest, types);
                self.charge(weight, offset)?;
            }
        }
        Ok(())
    }

    fn add_types<T>(&mut self, section: &SectionLimited<'_, T>) -> Result<(), Invalid> {
        let range = section.range();
        self.types = self.types.saturating_add(range.end - range.start);
        if self.types > MAX_TYPES {
            return Err(Invalid::too_large(
                range.start,
                &format!("its types take more than {MAX_TYPES} bytes"),
            ));
        }
        Ok(())
    }

    fn charge(&mut self, weight: u64, at: u64) -> Result<(), Invalid> {
        self.heaviest = self.heaviest.max(weight);
        self.total = self.total.saturating_add(weight);
        if self.total > MAX_WEIGHT {
            let what = format!("imports and exports, counted in every instance and type, are more than {MAX_WEIGHT}");
            return Err(Invalid::too_large(at, &what));
        }
        Ok(())
    }

    /// An index that is not there yet may be the name of the heaviest type.
    fn type_at(&mut self, index: u32, types: TypesRef<'_>) -> u64 {
        if index >= types.component_type_count() {
            return self.heaviest;
        }
        self.any_type(types.component_any_type_at(index), types)
    }

    fn component_at(&mut self, index: u32, types: TypesRef<'_>) -> u64 {
        if index >= types.component_count() {
            return self.heaviest;
        }
        self.component(types.component_at(index), types)
    }

    fn instance_at(&mut self, index: u32, types: TypesRef<'_>) -> u64 {
        if index >= types.component_instance_count() {
            return self.heaviest;
        }
        self.instance(types.component_instance_at(index), types)
    }

    fn any_type(&mut self, id: ComponentAnyTypeId, types: TypesRef<'_>) -> u64 {
        match id {
            ComponentAnyTypeId::Instance(id) => self.instance(id, types),
            ComponentAnyTypeId::Component(id) => self.component(id, types),
            ComponentAnyTypeId::Resource(_) | ComponentAnyTypeId::Defined(_) | ComponentAnyTypeId::Func(_) => 1,
        }
    }

    fn component(&mut self, id: ComponentTypeId, types: TypesRef<'_>) -> u64 {
        if let Some(known) = self.components.get(&id) {
            return *known;
        }
        let component = &types[id];
        let weight = component
            .imports
            .iter()
            .chain(&component.exports)
            .fold(1, |sum, item| self.plus(sum, item, types));
        self.components.insert(id, weight);
        weight
    }

    fn instance(&mut self, id: ComponentInstanceTypeId, types: TypesRef<'_>) -> u64 {
        if let Some(known) = self.instances.get(&id) {
            return *known;
        }
        let weight = types[id]
            .exports
            .iter()
            .fold(1, |sum, item| self.plus(sum, item, types));
        self.instances.insert(id, weight);
        weight
    }

    fn plus(&mut self, sum: u64, (name, item): (&String, &ComponentItem), types: TypesRef<'_>) -> u64 {
        let weight = match item.ty {
            ComponentEntityType::Instance(id) => self.instance(id, types),
            ComponentEntityType::Component(id) => self.component(id, types),
            ComponentEntityType::Type { created, .. } => self.any_type(created, types),
            ComponentEntityType::Module(_) | ComponentEntityType::Func(_) | ComponentEntityType::Value(_) => 1,
        };
        sum.saturating_add(weight).saturating_add(name.len() as u64 / NAME_UNIT)
    }
}

/// Calls `visit` with the items of a section; what is malformed is the validator's to judge.
fn each<'a, T: wasmparser::FromReader<'a>>(
    section: &SectionLimited<'a, T>,
    mut visit: impl FnMut(T) -> Result<(), Invalid>,
) -> Result<(), Invalid> {
    section
        .clone()
        .into_iter()
        .map_while(Result::ok)
        .try_for_each(&mut visit)
}
